"""Wait for data of the lake."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from airflow.sdk import BaseOperatorLink, PokeReturnValue

from airflow_provider_lake.exceptions import permanent_errors
from airflow_provider_lake.hooks.jobs import insist
from airflow_provider_lake.links.lake import LakeDatalakeLink, LakeDataLink, show_data, show_datalake
from airflow_provider_lake.operators.outlets import report
from airflow_provider_lake.operators.selection import as_names
from airflow_provider_lake.sensors.base import LakeSensor, backstop, is_late
from airflow_provider_lake.triggers.data import DataTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class DataSensor(LakeSensor):
    """Wait until a datalake has at least so many data that match; only those that the lake has finished count.

    Returns ``{"datalake", "count", "tags", "query"}``, the same in every mode; ``count`` may be above ``min_count``.

    :param min_count: how many data are enough.
    :param tags: names of data tags; data that have one of them (templated).
    :param intersect_tags: count only data that have all of ``tags``.
    :param query: selection in the lake's query language, such as ``data_source.name = "cam-1"`` (templated). At least
        one of tags and query must be given.
    :param datalake: name of the datalake (templated); None: the connection's, else the organization's default one.
    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poke_interval: seconds between two looks at the lake.
    :param timeout: seconds after which the wait is given up.
    :param outage_budget: seconds without a break that the lake may fail to answer; in reschedule mode below Airflow 3.3
        it is the ``timeout`` that bounds this.
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
        poke_interval: timedelta | float = 30.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.min_count = min_count
        self.tags = tags
        self.intersect_tags = intersect_tags
        self.query = query
        self.datalake = datalake

    def poke(self, context: "Context") -> PokeReturnValue:
        """Count once; a lake that does not answer is asked again, until it has been silent for too long."""
        with permanent_errors(), self._bearing(context) as may_ask:
            if may_ask:
                summary = self._count()
                return PokeReturnValue(summary["count"] >= self.min_count, summary)
        return PokeReturnValue(is_done=False)

    def execute(self, context: "Context") -> Any:
        """Wait in the way that was asked for; return the summary."""
        with self._skipping():
            if not self.deferrable:
                return self._report(super().execute(context))
            end = time.time() + self.timeout
            first = self.poke(context)
            if not first.is_done:
                self._defer(end)
        return self._report(first.xcom_value)

    def execute_complete(self, context: "Context", event: Mapping[str, Any] | None = None) -> Any:
        """Resume after the trigger fired; return the summary.

        :raises LakePermanentError: the lake refused to count.
        :raises AirflowSensorTimeout: there were not enough data in time.
        :raises LakeTriggerError: the lake did not answer for too long, or the event is not one of ours.
        """
        with self._skipping(), permanent_errors():
            came_late = is_late(event)
            summary = insist(self._count, self._own_patience, self.poke_interval)
            if came_late and summary["count"] < self.min_count:
                raise AirflowSensorTimeout(f"{summary['count']} of {self.min_count} data after {self.timeout} s")
            return self._report(summary)

    def _defer(self, end: float) -> None:
        self.defer(
            trigger=DataTrigger(
                min_count=self.min_count,
                query=self._full_query,
                lake_conn_id=self.lake_conn_id,
                datalake=self.datalake or None,
                poll_interval=self.poke_interval,
                outage_budget=self.outage_budget,
                deadline=end,
            ),
            method_name="execute_complete",
            timeout=backstop(end),
        )

    @property
    def _full_query(self) -> str:
        """The query that says query and tags.

        :raises airflow_provider_lake.client.UsageError: nothing is given: the whole lake is never meant by accident.
        """
        from airflow_provider_lake.client import UsageError
        from airflow_provider_lake.client.selection import Selection

        selection = Selection(tags=as_names(self.tags), intersect_tags=self.intersect_tags, q=self.query or None)
        if not selection.query:
            raise UsageError("no data to wait for: give tags or query")
        return selection.query

    def _count(self) -> dict[str, Any]:
        from airflow_provider_lake.client.id_pages import count_data

        datalake, query = self.hook.get_datalake(self.datalake or None), self._full_query
        show_datalake(datalake)
        show_data(datalake, as_names(self.tags), self.query or None, intersect_tags=self.intersect_tags)
        count = count_data(datalake.session, datalake.id, query)
        self.log.info("Waiting: %d of %d data", count, self.min_count)
        return {
            "datalake": datalake.name,
            "count": count,
            "tags": as_names(self.tags),
            "query": self.query or None,
        }

    def _report(self, summary: Any) -> Any:
        report(self.hook, self.outlets, summary, None)
        return summary
