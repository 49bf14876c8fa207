"""The `lake` command: the one place that knows client, Airflow parts and embedded lake."""
