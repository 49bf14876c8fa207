"""Apache Airflow provider for visual datalakes that speak the Picsellia API."""

__version__ = "0.1.0"
