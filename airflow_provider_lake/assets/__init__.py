"""Airflow assets of the lake."""
