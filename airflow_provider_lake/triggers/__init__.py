"""Airflow triggers of the lake."""
