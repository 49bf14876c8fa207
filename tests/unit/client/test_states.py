"""The states that things of the lake go through."""

import pickle

import pytest

from airflow_provider_lake.client import JobStatus, UploadStatus


@pytest.mark.parametrize("kind", [JobStatus, UploadStatus])
def test_an_unknown_state_stays_visible(kind: type[JobStatus] | type[UploadStatus]) -> None:
    """A newer lake may have states that this client does not know: they are shown, and not final."""
    state = kind("PAUSED")

    assert str(state) == "PAUSED"
    assert not state.is_final
    assert state == kind("PAUSED")
    assert pickle.loads(pickle.dumps(state)) == state  # noqa: S301 - our own bytes
    assert "PAUSED" not in list(kind)


def test_final_states() -> None:
    """A job or data in one of these stays in it."""
    assert [state for state in JobStatus if state.is_final] == ["SUCCEEDED", "FAILED", "KILLED"]
    assert [state for state in JobStatus if state.is_successful] == ["SUCCEEDED"]
    assert [state for state in UploadStatus if state.is_final] == ["DONE", "ERROR"]
