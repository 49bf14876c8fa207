"""Requests that nobody would send: made up from the lake's own description of its routes."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok

from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi

EXAMPLES_PER_ROUTE = 10


@dataclass(frozen=True)
class Fuzzed:
    """A lake to be fuzzed.

    :param ids: of things that exist there, by the name of the path's part.
    """

    api: LakeApi
    ids: Mapping[str, Any]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """Run a lake of this module's own, with a data and a tag."""
    with LakeProcess(tmp_path_factory.mktemp("fuzzed-lake") / "data", is_preloaded=True) as process:
        api = LakeApi(process)
        ids = {
            "organization_id": api.organization,
            "datalake_id": api.datalake,
            "connector_id": api.connector,
            "data_id": api.register("a.mp4", api.upload("a.mp4", b"film"), type="VIDEO").json()["id"],
            "tag_id": api.post(f"/api/datalake/{api.datalake}/tags", {"name": "tag"}).json()["id"],
        }
        yield Fuzzed(api, ids)


def _send(fuzzed: Fuzzed, case: schemathesis.Case[Any]) -> str | None:
    """Send a request, and say what is wrong with its answer."""
    if case.method != "DELETE":  # what exists shall stay
        case.path_parameters.update({name: fuzzed.ids[name] for name in case.path_parameters.keys() & fuzzed.ids})
    response = case.call(session=fuzzed.api.http, timeout=60)
    if response.status_code < 400 or case.method == "HEAD":
        return None
    try:
        is_answered = response.status_code < 500 and isinstance(response.json()["message"], str)
    except (ValueError, LookupError, TypeError):
        is_answered = False
    return None if is_answered else f"{response.status_code} {response.text[:200]}\n{case.as_curl_command()}"


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_no_request_breaks_the_lake(fuzzed: Fuzzed, mode: schemathesis.GenerationMode) -> None:
    """Right or wrong, it is answered by something else than 5xx, and every error says what is wrong."""
    problems = []
    described = schemathesis.openapi.from_url(f"{fuzzed.api.url}/openapi.json")
    for operation in [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]:

        @seed(0)
        @settings(
            max_examples=EXAMPLES_PER_ROUTE,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case[Any]) -> None:
            if problem := _send(fuzzed, case):
                problems.append(problem)

        with suppress(Unsatisfiable):  # a route that takes nothing takes nothing wrong
            send()

    assert problems == []
