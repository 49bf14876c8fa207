"""Selection of the data that a task works on, shared by all operators that work on data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import get_current_context

from airflow_provider_lake.arguments import (
    check_constants,
    flatten,
    is_template,
    read_flag,
    read_ids,
    read_names,
    read_text,
)
from airflow_provider_lake.exceptions import LakeArgumentError, LakePermanentError
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.tasks.summary_data import SummaryData, data_of_summaries, read_summaries

if TYPE_CHECKING:
    from airflow_provider_lake.client import Client, Data, Datalake

Summary = Mapping[str, Any]
# Why data are left out: the lake has not finished them yet, or could not process them.
NOT_FINISHED = "not finished"
NOT_PROCESSABLE = "ERROR"
# The XCom key under which Airflow stores the return value of a task.
_RETURNED = "return_value"


@dataclass(frozen=True, slots=True)
class DataSelection:
    """A selection of a datalake's data: those that match every criterion that is not None.

    An empty criterion matches nothing, never everything.

    :param summary: summaries of uploads or imports. An upload selects the data that it registered; an import selects
        all data below its prefixes with its tags and its source, including those of earlier, identical imports.
    :param tags: names of tags; selects data that have at least one of them.
    :param intersect_tags: select only data that have all of ``tags``.
    :param query: query in the lake's query language.
    :param only_done: select only data that the lake has finished.
    """

    data_ids: Sequence[str] | None = None
    summary: Sequence[Summary] | None = None
    tags: Sequence[str] | None = None
    intersect_tags: bool = False
    query: str | None = None
    only_done: bool = False

    def find(self, client: "Client", datalake: "Datalake", left_out: "Counter[str] | None" = None) -> "Iterator[Data]":
        """Yield the selected data, each once, holding about one page of them in memory at a time.

        :param left_out: counter to which the number of left out data is added, by reason.
        :raises airflow_provider_lake.client.UsageError: no criterion is given, or a summary names no data.
        :raises airflow_provider_lake.client.NoDataError: nothing matches; the message states the reason.
        :raises LakePermanentError: the datalake has no data with one of the ids, and no ``tags`` or ``query`` is given.
        """
        self._require_something()
        counts: Counter[str] = Counter() if left_out is None else left_out
        found = self._finished(self._find(client, datalake), counts) if self.only_done else self._find(client, datalake)
        first = next(found, None)
        if first is None:
            _require_none_left_out(counts)
            self._raise_no_data(datalake)
        else:
            yield first
            yield from found

    def _require_something(self) -> None:
        from airflow_provider_lake.client import NoDataError, UsageError

        given = {"data_ids": self.data_ids, "summary": self.summary, "tags": self.tags, "query": self.query}
        if all(value is None for value in given.values()):
            raise UsageError("no data selected: give data_ids, summary, tags or query")
        empty = [name for name, value in given.items() if value is not None and not value]
        if empty:
            raise NoDataError(f"{empty[0]} is empty: an upstream task found nothing")

    def _finished(self, data: "Iterable[Data]", left_out: "Counter[str]") -> "Iterator[Data]":
        from airflow_provider_lake.client import UploadStatus

        for each in data:
            if each.upload_status == UploadStatus.DONE:
                yield each
            else:
                left_out[NOT_PROCESSABLE if each.upload_status == UploadStatus.ERROR else NOT_FINISHED] += 1

    def _find(self, client: "Client", datalake: "Datalake") -> "Iterator[Data]":
        if self.summary is None and self.data_ids is None:
            return self._by_query(datalake)
        if self.summary is None:
            return self._by_ids(datalake, dict.fromkeys(self.data_ids or ()))
        parts = [self._from_summary(datalake, source) for source in data_of_summaries(client, datalake, self.summary)]
        return parts[0] if len(parts) == 1 else _distinct(chain.from_iterable(parts))

    def _from_summary(self, datalake: "Datalake", source: SummaryData) -> "Iterator[Data]":
        if source.data_ids is not None:
            chosen = None if self.data_ids is None else frozenset(self.data_ids)
            return self._by_ids(datalake, (each for each in source.data_ids if chosen is None or each in chosen))
        return source.filter(self._by_query(datalake, source.query, ids=self.data_ids))

    def _by_ids(self, datalake: "Datalake", data_ids: Iterable[str]) -> "Iterator[Data]":
        from airflow_provider_lake.client.transport.paging import chunks

        for page in chunks(data_ids):
            found = list(self._by_query(datalake, ids=page))
            if self.tags is None and self.query is None and len(found) < len(set(page)):
                missing = set(page) - {str(data.id) for data in found}
                raise LakePermanentError(f"datalake {datalake.name!r} has no data with id {min(missing)}")
            yield from found

    def _by_query(
        self, datalake: "Datalake", query: str | None = None, ids: Sequence[str] | None = None
    ) -> "Iterator[Data]":
        both = [each for each in (self.query, query) if each is not None]
        q = " and ".join(f"({each})" for each in both) if len(both) > 1 else next(iter(both), None)
        return datalake.iter_data(ids=ids, tags=self.tags, intersect_tags=self.intersect_tags, q=q)

    def _raise_no_data(self, datalake: "Datalake") -> None:
        from airflow_provider_lake.client import NoDataError

        # The client's error names the tags that do not exist.
        if self.tags is not None or self.query is not None:
            datalake.list_data(1, tags=self.tags, intersect_tags=self.intersect_tags, q=self.query)
        raise NoDataError("what is selected matches no data, or the upstream task brought none in")


class DataSelectingOperator(LakeOperator):
    """Base of the operators that work on data that are already in the lake.

    The operator selects the data that match all of the given ``data_ids``, ``summary``, ``tags`` and ``query``; at
    least one of these is required. An argument that is given but turns out empty, such as the result of an upstream
    task that found nothing, selects no data, never all data.

    :param data_ids: ids of data (templated). An upload of more than 100 data does not return their ids: pass its
        ``summary`` instead.
    :param summary: the summary that an upload or an import returned, or a list of summaries as mapped tasks return it
        (templated). An upload selects the data that it registered; above 100 data, only its ``manifest`` names them. An
        import selects all data below its prefixes with its tags and its source, including those of earlier, identical
        imports: to select only the new data, give each run its own prefix or tag.
    :param tags: names of data tags; selects data that have at least one of them (templated).
    :param intersect_tags: select only data that have all of ``tags``.
    :param query: query in the lake's query language, such as ``data_source.name = "cam-1"`` (templated).
    :param skip_if_empty: skip the task if no data are selected; otherwise it fails.
    :param only_done: leave out data whose state is not DONE: the lake has not finished them, or could not process them.
        The log and ``left_out`` in the summary report their number. None: operators that pass data on, to a processing,
        as files or with projections, leave them out; operators that change metadata or tags include all data.
    """

    only_done_by_default: ClassVar[bool] = False

    template_fields: Sequence[str] = (*LakeOperator.template_fields, "data_ids", "summary", "tags", "query")

    def __init__(
        self,
        *,
        data_ids: str | UUID | Sequence[str | UUID] | None = None,
        summary: Summary | Sequence[Summary] | None = None,
        tags: str | Sequence[str] | None = None,
        intersect_tags: bool = False,
        query: str | None = None,
        skip_if_empty: bool = False,
        only_done: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.only_done = self.only_done_by_default if only_done is None else read_flag("only_done", only_done)
        self.left_out: Counter[str] = Counter()
        self.data_ids = data_ids
        self.summary = summary
        self.tags = tags
        self.intersect_tags = read_flag("intersect_tags", intersect_tags)
        self.query = query
        self.skip_if_empty = read_flag("skip_if_empty", skip_if_empty)
        # An argument that an upstream task renders to None still counts as given.
        given = {"data_ids": data_ids, "summary": summary, "tags": tags, "query": query}
        self._selectors = frozenset(name for name, value in given.items() if value is not None)
        self._source_of_ids = data_ids if is_template(data_ids) else None
        check_constants(read_ids, data_ids=data_ids)
        check_constants(read_summaries, summary=summary)
        check_constants(read_names, tags=tags)
        check_constants(read_text, query=query)

    @property
    def selection(self) -> DataSelection:
        """The selection, once the templates are rendered.

        :raises LakeArgumentError: a rendered argument is not a valid selection.
        """
        given = self._selectors | self._mapped_over()
        return DataSelection(
            data_ids=self._read_data_ids() if "data_ids" in given else None,
            summary=read_summaries("summary", self.summary) if "summary" in given else None,
            tags=read_names("tags", self.tags) if "tags" in given else None,
            intersect_tags=self.intersect_tags,
            query=read_text("query", self.query) or "" if "query" in given else None,
            only_done=self.only_done,
        )

    def _mapped_over(self) -> frozenset[str]:
        """Return the arguments that a mapped task expands: for these, even None counts as given."""
        dag = self.get_dag()
        expanded = getattr(dag and dag.task_dict.get(self.task_id), "expand_input", None)
        names = getattr(expanded, "value", None)
        return frozenset(names) if isinstance(names, Mapping) else frozenset()

    def _read_data_ids(self) -> list[str]:
        is_nothing = self.data_ids is None and _returned_nothing(self._source_of_ids)
        if not is_nothing and any(each is None for each in flatten(self.data_ids)):
            raise LakeArgumentError(
                "data_ids is None, or has None in it: a task that brought in more than 100 data does not return their "
                "ids; hand on what it returned as a whole, as summary=upload.output"
            )
        return read_ids("data_ids", self.data_ids)

    def select_data(self, datalake: "Datalake") -> "Iterator[Data]":
        """Yield the selected data, each once, holding about one page of them in memory at a time.

        :raises AirflowSkipException: no data are selected, and ``skip_if_empty`` is set.
        :raises airflow_provider_lake.client.LakeError: any error of :meth:`DataSelection.find`.
        """
        from airflow_provider_lake.client import NoDataError

        self.left_out.clear()
        try:
            yield from self.selection.find(self.hook.client, datalake, self.left_out)
        except NoDataError as error:
            if self.skip_if_empty:
                raise AirflowSkipException(str(error)) from error
            raise
        for reason, count in self.left_out.items():
            self.log.warning("Left out %d data of the selected ones: %s", count, reason)


def _require_none_left_out(left_out: "Counter[str]") -> None:
    from airflow_provider_lake.client import NoDataError

    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise NoDataError(f"none of the selected data is finished: {reasons}; only_done=False takes these too")


def _returned_nothing(source: Any) -> bool:
    """Whether an argument is the output of a task, or one value of it, and that task has returned nothing at all.

    :param source: the argument as written in the DAG, before rendering; False if it is not the output of a task.
    """
    key = getattr(source, "key", None)
    if key is None or key == _RETURNED:
        return key is not None
    return source.operator.output.resolve(get_current_context()) is None


def _distinct(data: "Iterable[Data]") -> "Iterator[Data]":
    """Yield each data once; the ids seen so far are stored as integers, which take a third of the memory."""
    seen: set[int] = set()
    for each in data:
        if each.id.int not in seen:
            seen.add(each.id.int)
            yield each
