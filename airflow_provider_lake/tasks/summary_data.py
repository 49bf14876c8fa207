"""From the summary of a task to the data that it created.

An import does not report the ids of its data. Its data are then all that match its prefixes, tags and source. This
includes data of an earlier import, because the first try of an import may have created some before it failed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.arguments import flat_items, read_ids, read_names, read_text
from airflow_provider_lake.exceptions import LakeArgumentError, LakePermanentError
from airflow_provider_lake.tasks.summaries import data_ids, payload_of
from airflow_provider_lake.text.argument_text import NATIVE, shorten

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, Data, Datalake

# A query is part of a URL, so a long list of prefixes is split into several queries.
MAX_PREFIXES_PER_QUERY = 20


@dataclass(frozen=True, slots=True)
class SummaryData:
    """The data that one task created: either by ids, or by a query and prefixes.

    :param data_ids: ids of the data; None: ``query`` and ``prefixes`` select them.
    :param query: query in the lake's query language; it may match too many data.
    :param prefixes: prefixes of the object names of the data.
    """

    data_ids: Iterable[str] | None = None
    query: str | None = None
    prefixes: tuple[str, ...] = ()

    def filter(self, data: "Iterable[Data]") -> "Iterator[Data]":
        """Yield the data whose object names have one of the prefixes: the query itself ignores case."""
        return (each for each in data if each.object_name.startswith(self.prefixes))


def read_summaries(argument: str, value: Any) -> list[Mapping[str, Any]]:
    """Return the summaries of tasks: one, several, or none; a skipped task has none.

    :raises LakeArgumentError: the value contains anything else.
    """
    summaries = [payload_of(item) for item in flat_items(argument, value)]
    for each in summaries:
        if not isinstance(each, Mapping):
            raise LakeArgumentError(
                f"{argument} has {shorten(each)}, which is no summary of a task: hand on its output, as `upload.output`"
                + (f"; {NATIVE}" if isinstance(each, str) else "")
            )
    return summaries


def data_of_summaries(
    client: "Client", datalake: "Datalake", summaries: Sequence[Mapping[str, Any]]
) -> Iterator[SummaryData]:
    """Yield the data of the tasks that returned these summaries.

    :raises LakePermanentError: a summary names no data or another datalake, or its import has not succeeded.
    """
    for each in summaries:
        if "datalake" not in each:
            raise LakePermanentError(_no_data_message(each))
        _require_same_datalake(datalake, each)
        if "prefixes" in each:
            yield from _data_of_import(client, each)
        elif each.get("data_ids") is not None:
            yield SummaryData(data_ids=read_ids("summary", each["data_ids"]))
        elif "uploaded" in each:
            yield SummaryData(data_ids=data_ids(each))
        else:
            raise LakePermanentError(_no_data_message(each))


def _no_data_message(summary: Mapping[str, Any]) -> str:
    return (
        f"a summary with {', '.join(map(str, summary)) or 'nothing in it'} names no data: "
        "give what an upload or an import returned"
    )


def _require_same_datalake(datalake: "Datalake", summary: Mapping[str, Any]) -> None:
    name, its_id = summary.get("datalake"), summary.get("datalake_id")
    if name != datalake.name or its_id not in {None, str(datalake.id)}:
        raise LakePermanentError(
            f"the summary is of datalake {name!r} ({its_id}), this task works on {datalake.name!r} ({datalake.id})"
        )


def _data_of_import(client: "Client", summary: Mapping[str, Any]) -> Iterator[SummaryData]:
    """Yield the data below an import's prefixes, with its tags and its source."""
    _require_ended(client, summary)
    conditions = [f"tags.name = {_quote(tag)}" for tag in read_names("summary", summary.get("tags"))]
    source = read_text("summary", summary.get("source"))
    if source is not None:
        conditions.append(f"data_source.name = {_quote(source)}")
    prefixes = _outermost(read_names("summary", summary["prefixes"]))
    for start in range(0, len(prefixes), MAX_PREFIXES_PER_QUERY):
        chunk = prefixes[start : start + MAX_PREFIXES_PER_QUERY]
        below = " or ".join(f"object_name startswith {_quote(prefix)}" for prefix in chunk)
        yield SummaryData(query=" and ".join([*conditions, f"({below})"]), prefixes=tuple(chunk))


def _require_ended(client: "Client", summary: Mapping[str, Any]) -> None:
    """Raise an error if an import has not succeeded: its data are not complete."""
    if summary.get("status") == "SUCCEEDED":
        return
    # The task did not wait for the job, but the job may have ended since.
    job_id = summary.get("job_id")
    if job_id is None:
        raise LakePermanentError("the summary of an import that does not say that it succeeded names no job either")
    job = client.get_job_by_id(job_id)
    if not job.status.is_successful:
        raise LakePermanentError(f"import job {job.id} is {job.status}: wait until it has succeeded")


def _outermost(prefixes: Iterable[str]) -> list[str]:
    """Drop prefixes below other prefixes, so that no data are found twice."""
    kept: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
