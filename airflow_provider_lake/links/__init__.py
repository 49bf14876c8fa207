"""Links from Airflow's task page into the lake."""
