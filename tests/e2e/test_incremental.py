"""The example DAGs of mapped and of incremental uploads, through a real Airflow into a real lake."""

import json
import shutil
from pathlib import Path

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from tests.e2e.airflow_stack import AirflowStack
from tests.lake_process import LakeProcess

MAPPED = "example_lake_mapped_upload"
INCREMENTAL = "example_lake_incremental"


def _states(airflow: AirflowStack, run: dict[str, object]) -> dict[str, str]:
    return {f"{task['task_id']}[{task['map_index']}]": task["state"] for task in airflow.tasks(run)}


@pytest.mark.every_airflow
def test_photos_of_mapped_tasks_are_worked_on_and_no_others(
    airflow: AirflowStack, lake: LakeProcess, tmp_path: Path
) -> None:
    """Five photos in three tasks: all of them tagged, described, shown with a preview and archived, each once."""
    paths = make_photos(tmp_path / "photos", 5, seed=11)
    work = tmp_path / "work"
    datalake = lake.client().get_datalake()
    datalake.upload_data(make_photos(tmp_path / "others", 2, seed=12), tags=["others"])

    run = airflow.run_dag(
        MAPPED,
        {"folder": str(tmp_path / "photos"), "work": str(work), "chunk_size": 2, "tag": "e2e-mapped"},
    )

    states = _states(airflow, run)
    assert set(states.values()) == {"success"}, "\n".join(airflow.log(run, "tag")[-2000:])
    assert {f"upload[{index}]" for index in range(3)} <= states.keys()
    data = datalake.list_data(tags=["e2e-mapped"])
    assert sorted(each.filename for each in data) == sorted(path.name for path in paths)
    for each in data:
        assert (each.metadata or {})["reference"] == run["dag_run_id"]
        assert each.custom_metadata == {"ingested_by": MAPPED}
        assert [shown.filename for shown in each.list_projections() if shown.name == "grey preview"] == [
            f"{Path(each.filename).stem}.png"
        ]
    assert {path.name: path.read_bytes() for path in (work / "archive").iterdir()} == {
        path.name: path.read_bytes() for path in paths
    }
    manifests = sorted((work / "manifests").iterdir())
    lines = [json.loads(line) for path in manifests for line in path.read_text().splitlines()]
    assert [path.name for path in manifests] == [f"{run['dag_run_id']}.{index}.jsonl" for index in range(3)]
    assert sorted(line["data_id"] for line in lines) == sorted(str(each.id) for each in data)


def test_each_run_brings_in_what_is_new(airflow: AirflowStack, lake: LakeProcess, tmp_path: Path) -> None:
    """First, on its schedule, all; then one more, then nothing: the tasks behind are skipped then."""
    folder, later = airflow.home / "photos", make_photos(tmp_path / "later", 1, seed=21)[0]
    make_photos(folder, 3, seed=20)
    datalake = lake.client().get_datalake()
    seen: set[str] = set()

    for new in (3, 1, 0):
        if new == 1:
            shutil.copy(later, folder / "later.jpg")
        run = airflow.scheduled_run(INCREMENTAL) if new == 3 else airflow.run_dag(INCREMENTAL)

        summary = airflow.result(run, "upload")
        assert (summary["uploaded"], summary["skipped"]) == (new, len(seen))
        behind = "success" if new else "skipped"
        assert _states(airflow, run) == {"upload[-1]": "success", "tag[-1]": behind, "measure[-1]": behind}
        brought = set(summary["data_ids"])
        if new:
            tagged = datalake.list_data(tags=[f"gate {run['dag_run_id']}"])
            assert {str(each.id) for each in tagged} == brought
            assert all({"landscape", "portrait"} & {tag.name for tag in each.tags} for each in tagged)
        assert not seen & brought
        seen |= brought

    assert len(datalake.list_data(q='data_source.name = "gate"')) == 4
