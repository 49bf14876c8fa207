"""Inputs that a processing declares, and launches that give them."""

import sys
from uuid import uuid4

import pytest

from airflow_provider_lake.cli.main import main
from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi


@pytest.fixture
def processing(api: LakeApi, lake: LakeProcess) -> str:
    """Register a processing, and return its id."""
    name = f"inputs-{uuid4()}"
    command = [name, "--", sys.executable, "-c", "pass"]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    found = api.get(f"/api/organization/{api.organization}/processings/find", params={"name": name})
    return str(found.json()["id"])


def _declare(api: LakeApi, processing: str, name: str, input_type: str, *, required: bool = True) -> None:
    body = {
        "name": name,
        "input_type": input_type,
        "required": required,
        "inference_type_constraint": None,
        "framework_constraint": None,
    }
    assert api.post(f"/api/processing/{processing}/inputs", body).json() == body


def _launch(api: LakeApi, processing: str, inputs: dict[str, object]) -> tuple[int, object]:
    """Launch it on a data of its own; return the status and the message, or the inputs that the job has."""
    data = api.register("a.jpg", api.upload("a.jpg", b"a")).json()["id"]
    body = {"processing_id": processing, "data_ids": [data], "inputs": inputs, "cpu": 3, "gpu": 1}
    answer = api.post(f"/api/datalake/{api.datalake}/processing/launch", body)
    if answer.status_code != 200:
        return answer.status_code, answer.json()["message"]
    job = api.get(f"/api/v2/job/{answer.json()['id']}").json()["processing_job"]
    assert (job["cpu"], job["gpu"]) == (3, 1)
    return 200, job["inputs"]


def test_inputs_are_declared_changed_and_taken_back(api: LakeApi, processing: str) -> None:
    """A name is declared once; what is not declared is named."""
    path = f"/api/processing/{processing}/inputs"
    _declare(api, processing, "model", "MODEL_VERSION")

    assert api.post(path, {"name": "model", "input_type": "TEXT", "required": True}).status_code == 409
    assert api.call("PUT", f"{path}/model", json={"required": False}).json()["required"] is False
    assert [each["name"] for each in api.get(path).json()["items"]] == ["model"]
    assert api.call("DELETE", f"{path}/model").status_code == 204
    assert api.get(path).json() == {"items": [], "count": 0}
    missing = api.call("PUT", f"{path}/model", json={"required": False})
    assert (missing.status_code, "'model'" in missing.json()["message"]) == (404, True)


def test_declared_inputs_are_handed_through(api: LakeApi, processing: str) -> None:
    """As they were given; one that is not required may be missing, and without declarations anything goes."""
    assert _launch(api, processing, {"anything": [1]}) == (200, {"anything": [1]})
    _declare(api, processing, "threshold", "NUMBER")
    _declare(api, processing, "note", "TEXT", required=False)
    _declare(api, processing, "target", "DATALAKE")

    given = {"threshold": 0.5, "target": api.datalake}

    assert _launch(api, processing, given) == (200, given)


@pytest.mark.parametrize(
    ("input_type", "given", "said"),
    [
        ("NUMBER", {}, "input 'x' is required"),
        ("NUMBER", {"x": "5"}, "input 'x' must be a number"),
        ("NUMBER", {"x": True}, "input 'x' must be a number"),
        ("TEXT", {"x": 5}, "input 'x' must be a text"),
        ("DATALAKE", {"x": "default"}, "input 'x' must be the id of a datalake"),
        ("DATALAKE", {"x": "00000000-0000-4000-8000-000000000000"}, "input 'x' must be the id of a datalake"),
        ("MODEL_VERSION", {"x": [1]}, "input 'x' must be the id of a model version"),
        ("TEXT", {"x": "fine", "y": 1}, "input 'y' is not declared"),
    ],
)
def test_wrong_inputs_are_named_and_nothing_is_launched(
    api: LakeApi, processing: str, input_type: str, given: dict[str, object], said: str
) -> None:
    """With what was expected."""
    _declare(api, processing, "x", input_type)

    status, message = _launch(api, processing, given)

    assert (status, said in str(message)) == (400, True)


def test_our_client_declares_changes_and_takes_back_inputs(lake: LakeProcess, processing: str) -> None:
    """Also one whose name is no part of a path as it stands."""
    [found] = [each for each in lake.client().list_processings() if str(each.id) == processing]
    name = "model / version?"

    found.add_processing_input(name, "MODEL_VERSION", required=True)
    found.update_processing_input(name, required=False)

    [declared] = found.list_processing_inputs()
    assert (declared["name"], declared["input_type"], declared["required"]) == (name, "MODEL_VERSION", False)
    found.delete_processing_input(name)
    assert found.list_processing_inputs() == []
