"""Airflow hooks of the lake."""
