"""The `lake` command: the only package that imports the client, the Airflow layers and the embedded lake."""
