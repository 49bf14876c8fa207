"""Wait for data of the lake."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink, PokeReturnValue

from airflow_provider_lake.arguments import check_constants, read_count, read_flag, read_names, read_text
from airflow_provider_lake.links.lake import LakeDatalakeLink, LakeDataLink, show_data, show_datalake
from airflow_provider_lake.sensors.base import LakeSensor
from airflow_provider_lake.tasks.summaries import DataCountSummary
from airflow_provider_lake.triggers.data import DataTrigger

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake


class DataSensor(LakeSensor):
    """Wait until a datalake has at least ``min_count`` matching data; only data that the lake has finished count.

    Returns ``{"datalake", "count", "tags", "query"}``, the same in every mode; ``count`` may be above ``min_count``.

    :param min_count: how many data are enough.
    :param tags: names of data tags; matches data that have one of them (templated).
    :param intersect_tags: count only data that have all of ``tags``.
    :param query: selection in the lake's query language, such as ``data_source.name = "cam-1"`` (templated). At least
        one of tags and query must be given.
    :param datalake: name of the datalake (templated); None: the connection's, else the organization's default one.
    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poke_interval: seconds or a ``timedelta`` between two polls of the lake.
    :param timeout: seconds or a ``timedelta`` after which the wait times out.
    :param outage_budget: seconds or a ``timedelta`` that one outage of the lake may last; in reschedule mode below
        Airflow 3.3, only the ``timeout`` limits an outage.
    """

    template_fields: Sequence[str] = ("tags", "query", "datalake", "lake_conn_id")
    operator_extra_links: Collection[BaseOperatorLink] = (LakeDatalakeLink(), LakeDataLink())

    def __init__(
        self,
        *,
        min_count: int = 1,
        tags: str | Sequence[str] | None = None,
        intersect_tags: bool = False,
        query: str | None = None,
        datalake: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_count = read_count("min_count", min_count)
        self.tags = tags
        self.intersect_tags = read_flag("intersect_tags", intersect_tags)
        self.query = query
        self.datalake = datalake
        self._links_set = False
        check_constants(read_names, tags=tags)
        check_constants(read_text, query=query, datalake=datalake)

    def _poll(self) -> PokeReturnValue:
        """Count once; return whether there are enough, and the summary."""
        datalake, query = self.hook.get_datalake(read_text("datalake", self.datalake)), self._full_query
        self._show(datalake)
        count = datalake.count_data(q=query, upload_statuses=["DONE"])
        summary: DataCountSummary = {
            "datalake": datalake.name,
            "count": count,
            "tags": read_names("tags", self.tags),
            "query": read_text("query", self.query),
        }
        self.log.info("Waiting: %s", self._describe(summary))
        return PokeReturnValue(count >= self.min_count, summary)

    def _make_trigger(self, end: float) -> DataTrigger:
        """Return the trigger that counts in the triggerer.

        :param end: the deadline, in seconds since 1970.
        """
        return DataTrigger(
            min_count=self.min_count,
            query=self._full_query,
            lake_conn_id=self.lake_conn_id,
            datalake=read_text("datalake", self.datalake),
            poll_interval=self.poke_interval,
            outage_budget=self.outage_budget,
            deadline=end,
        )

    def _describe(self, summary: Any) -> str:
        """Describe how many data there are."""
        return f"{summary['count']} of {self.min_count} data"

    @property
    def _full_query(self) -> str:
        """The query that combines ``query`` and ``tags``.

        :raises airflow_provider_lake.client.UsageError: neither is given; this guards against selecting the whole
            datalake by accident.
        """
        from airflow_provider_lake.client import UsageError
        from airflow_provider_lake.client.listing.selection import Selection

        selection = Selection(
            tags=read_names("tags", self.tags),
            intersect_tags=self.intersect_tags,
            q=read_text("query", self.query),
        )
        if not selection.query:
            raise UsageError("no data to wait for: give tags or query")
        return selection.query

    def _show(self, datalake: "Datalake") -> None:
        """Publish the link of the running task to its data, once."""
        if not self._links_set:
            show_datalake(datalake)
            show_data(
                datalake,
                read_names("tags", self.tags),
                read_text("query", self.query),
                intersect_tags=self.intersect_tags,
            )
            self._links_set = True
