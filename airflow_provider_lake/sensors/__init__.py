"""Airflow sensors of the lake."""
