"""Twenty tasks that wait and work while the token of their connection is rotated; one uploads."""

import time
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.data import DataSensor
from airflow_provider_lake.sensors.job import JobSensor


class HeldUpload(UploadDataOperator):
    """Does not go on, once it knows its datalake, before the token was rotated."""

    def get_datalake(self) -> Any:
        """Return the datalake, and what asks for it."""
        datalake = super().get_datalake()
        folder = Path(self.filepaths).parent  # type: ignore[arg-type]  # here it is one folder
        (folder / "uploading").touch()
        while not (folder / "rotated").exists():
            time.sleep(0.1)
        return datalake


with DAG(
    dag_id="lake_rotation",
    schedule=None,
    default_args={"lake_conn_id": "lake_rotated", "poll_interval": 1, "poke_interval": 1, "retries": 0},
):
    conf = "{{ dag_run.conf.%s }}"
    for number in range(7):
        LaunchProcessingOperator(
            task_id=f"launch_{number}",
            processing=conf % "name",
            tags=conf % "name",
            parameters={"place": number},
            deferrable=number > 0,
        )
    for number in range(4):
        JobSensor(task_id=f"job_{number}", job_id=conf % "job_id", deferrable=True)
        DataSensor(task_id=f"data_{number}", tags=conf % "coming", deferrable=True)
        DataSensor(task_id=f"again_{number}", tags=conf % "coming", mode="reschedule")
    DataSensor(task_id="poke", tags=conf % "coming", mode="poke")
    HeldUpload(task_id="upload", filepaths=conf % "folder", tags="while rotating")
