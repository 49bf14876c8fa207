"""Wait for data of the lake."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    conf,
)
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_lake.exceptions import WaitTimeoutError, permanent_errors
from airflow_provider_lake.hooks.jobs import OUTAGE_BUDGET_SECONDS, Patience
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.operators.outlets import report
from airflow_provider_lake.operators.selection import as_names
from airflow_provider_lake.triggers.data import DataTrigger
from airflow_provider_lake.triggers.events import require_ended

if TYPE_CHECKING:
    from airflow.sdk import Context

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 3.0
    from airflow.exceptions import AirflowRescheduleException

# By so much later than the trigger itself Airflow ends a wait whose triggerer is gone.
_BACKSTOP_SECONDS = 60.0


class DataSensor(BaseSensorOperator):
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
    :param outage_budget: seconds without a break that the lake may fail to answer; in reschedule mode it is the
        ``timeout`` that bounds this.
    """

    template_fields: Sequence[str] = ("tags", "query", "datalake", "lake_conn_id")
    ui_color = "#d9edf7"

    def __init__(
        self,
        *,
        min_count: int = 1,
        tags: str | Sequence[str] | None = None,
        intersect_tags: bool = False,
        query: str | None = None,
        datalake: str | None = None,
        lake_conn_id: str = LakeHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 30.0,
        outage_budget: float = OUTAGE_BUDGET_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.min_count = min_count
        self.tags = tags
        self.intersect_tags = intersect_tags
        self.query = query
        self.datalake = datalake
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable
        self.outage_budget = outage_budget

    @cached_property
    def hook(self) -> LakeHook:
        """Hook of the connection, made when the task runs."""
        return LakeHook(self.lake_conn_id)

    def poke(self, context: "Context") -> PokeReturnValue:
        """Count once; a lake that does not answer is asked again, until it has been silent for too long."""
        with permanent_errors(), self._patience.bear():
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
            is_late = _is_late(event)
            summary = self._count()
            if is_late and summary["count"] < self.min_count:
                raise AirflowSensorTimeout(f"{summary['count']} of {self.min_count} data after {self.timeout} s")
            return self._report(summary)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Resume after the trigger fired, or after Airflow gave it up."""
        with self._skipping():
            return super().resume_execution(next_method, next_kwargs, context)

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
            timeout=timedelta(seconds=max(0.0, end - time.time()) + _BACKSTOP_SECONDS),
        )

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """Skip the task under ``soft_fail`` and ``never_fail`` for the same reasons in every mode.

        Airflow's own rules differ between a poke, a resumed task, and one whose trigger it gave up.
        """
        try:
            yield
        except (AirflowSkipException, AirflowRescheduleException):
            raise
        except Exception as error:
            is_soft = self.soft_fail and isinstance(error, AirflowFailException | AirflowSensorTimeout)
            if self.never_fail or is_soft:
                raise AirflowSkipException(f"skipped instead of failing: {error}") from error
            raise

    @cached_property
    def _patience(self) -> Patience:
        return Patience(self.outage_budget, self.log)

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


def _is_late(event: Mapping[str, Any] | None) -> bool:
    try:
        require_ended(event)
    except WaitTimeoutError:
        return True
    return False
