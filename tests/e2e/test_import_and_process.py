"""The example DAG that imports and processes, through a real Airflow into a real lake."""

from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess


def test_what_lies_in_the_bucket_is_imported_and_processed(airflow: AirflowStack, lake: LakeProcess) -> None:
    """Both tasks defer and tell of their jobs; the data are in the lake, tagged; progress is in the log."""
    make_photos(lake.objects / "import-and-process", 6)

    run = airflow.run_dag(
        "example_lake_import_and_process", {"prefix": "import-and-process/", "tag": "import-and-process"}
    )

    logs = {task["task_id"]: airflow.log(run, task["task_id"]) for task in airflow.tasks(run)}
    assert run["state"] == "success", logs
    imported, processed = airflow.result(run, "bring_in"), airflow.result(run, "process")
    assert imported["progress"] == {"total": 6, "done": 6, "imported": 6, "skipped": 0, "failed": 0}
    assert processed["data_count"] == 6
    assert airflow.result(run, "both") == {
        "jobs": [{name: task[name] for name in ("job_id", "status", "progress")} for task in (imported, processed)]
    }
    data = lake.client().get_datalake().list_data(tags=["import-and-process"])
    assert len(data) == 6
    assert all({"portrait", "landscape"} & {tag.name for tag in each.tags} for each in data)
    assert f"job {imported['job_id']} is SUCCEEDED, 6 of 6 done" in logs["bring_in"]
    assert "TriggerEvent" in logs["process"]
