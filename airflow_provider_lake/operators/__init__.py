"""Airflow operators of the lake."""
