"""Parsing a DAG stays cheap."""

import subprocess
import sys

HEAVY = {"requests", "PIL", "boto3", "botocore", "fastapi", "sqlalchemy", "granian", "lark"}
PROGRAM = """
import sys
import airflow.sdk
before = set(sys.modules)
import airflow_provider_lake.hooks.lake, airflow_provider_lake.operators.data, airflow_provider_lake.operators.imports
import airflow_provider_lake.operators.processings, airflow_provider_lake.sensors.jobs
import airflow_provider_lake.operators.downloads, airflow_provider_lake.operators.projections
import airflow_provider_lake.operators.tags
import airflow_provider_lake.triggers.jobs
import airflow_provider_lake.triggers.data, airflow_provider_lake.sensors.data
import airflow_provider_lake.assets.lake
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_operators_sensors_and_triggers_import_no_heavy_library() -> None:
    """Beyond what `airflow.sdk` imports itself, nothing of the client's, Pillow's or the server's needs is loaded."""
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split()

    assert "airflow_provider_lake" in found
    assert HEAVY & set(found) == set()
