"""Uploads through a network that breaks exchanges of every step, in every way."""

from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, Datalake, ErrorManager, MultiData, RetryPolicy
from tests.fault_proxy import Fault, fault_proxy
from tests.lake_process import LakeProcess

FILES = 60
# The waits of the policy that clients have by default, shortened.
QUICK = RetryPolicy(base_delay=0.02)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Make different images."""
    paths = [tmp_path / f"{number}.png" for number in range(FILES)]
    for number, path in enumerate(paths):
        Image.new("RGB", (8, 8 + number)).save(path)
    return paths


def _stored(lake: LakeProcess) -> set[str]:
    """Return the names of the objects that were uploaded; beside them lie thumbnails, which the lake makes."""
    return {str(path.relative_to(lake.objects)) for path in lake.objects.glob("data/**/*") if path.is_file()}


def _upload(url: str, lake: LakeProcess, paths: list[Path], errors: ErrorManager | None = None) -> MultiData:
    with Client(lake.token, host=url, retry=QUICK) as client:
        data = client.get_datalake().upload_data(paths, tags="faults", error_manager=errors)
    assert isinstance(data, MultiData)
    return data


def _registered(lake: LakeProcess) -> MultiData:
    datalake: Datalake = lake.client().get_datalake()
    return datalake.list_data(tags="faults")


@pytest.mark.parametrize("seed", [1, 2])
def test_no_file_is_lost_doubled_or_left_over(own_lake: LakeProcess, paths: list[Path], seed: int) -> None:
    """With one exchange in ten broken, each file is one data with its own bytes, and no bytes belong to none."""
    # Of few exchanges, more have to break for each way to come up.
    with fault_proxy(own_lake.url, 0.1, seed, stall_seconds=0.2, retry_after_seconds=0) as proxy:
        uploaded = _upload(proxy.url, own_lake, paths)
    registered = _registered(own_lake)

    assert set(proxy.faults) == set(Fault)
    assert sorted(uploaded.ids) == sorted(registered.ids)
    assert [data.filename for data in uploaded] == [path.name for path in paths]
    assert {data.filename: data.read() for data in registered} == {path.name: path.read_bytes() for path in paths}
    assert {data.object_name for data in registered} == _stored(own_lake)


def test_what_fails_is_named_with_its_cause(own_lake: LakeProcess, paths: list[Path]) -> None:
    """When hardly anything gets through, each file is registered once, or is in the error manager with the reason."""
    errors = ErrorManager()
    impatient = RetryPolicy(attempts=2, base_delay=0.01)
    with (
        fault_proxy(own_lake.url, 0, 3, stall_seconds=0.1, retry_after_seconds=0) as proxy,
        Client(own_lake.token, host=proxy.url, retry=impatient) as client,
    ):
        datalake = client.get_datalake()
        tag = datalake.get_or_create_data_tag("faults")
        proxy.share = 0.3
        datalake.upload_data(paths, tags=tag, error_manager=errors, wait_for_unprocessable_data=False)
    registered = [data.filename for data in _registered(own_lake)]
    failed = [Path(error.path).name for error in errors.errors]

    assert failed
    assert len(set(registered)) == len(registered)
    assert set(registered) | set(failed) == {path.name for path in paths}
    assert all(error.cause is not None for error in errors.errors)
