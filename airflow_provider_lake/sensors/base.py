"""Base of all sensors of the lake: the same outcomes in every mode, and one outage budget."""

import math
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    conf,
)
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_lake import configuration
from airflow_provider_lake.arguments import check_constants, read_flag, read_required_text, read_seconds
from airflow_provider_lake.exceptions import WaitTimeoutError, permanent_errors
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.tasks.asset_events import emit_asset_events, report_lineage
from airflow_provider_lake.tasks.deadlines import backstop, execution_deadline
from airflow_provider_lake.tasks.outages import OutageBudget, retry_in_outage
from airflow_provider_lake.tasks.resume import delete_record, load_record, save_record
from airflow_provider_lake.triggers.events import require_ended
from airflow_provider_lake.triggers.handover import reschedule_seconds

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 3.0
    from airflow.exceptions import AirflowRescheduleException

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

_OUTAGE_KEY = "lake_outage"


class LakeSensor(BaseSensorOperator):
    """Base of the sensors of the lake.

    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poke_interval: seconds or a ``timedelta`` between two polls of the lake; in reschedule mode below Airflow
        3.2, 7 or more.
    :param timeout: seconds or a ``timedelta`` after which the wait times out; None: as Airflow is configured.
    :param outage_budget: seconds or a ``timedelta`` that one outage of the lake may last; in reschedule mode below
        Airflow 3.3, only the ``timeout`` limits an outage.
    :param multiple_outputs: let other tasks use single values of the summary that this task returns, as
        ``task.output["jobs"]``.
    """

    ui_color = "#d9edf7"

    def __init__(
        self,
        *,
        lake_conn_id: str = LakeHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = configuration.poll_interval(),  # noqa: B008 - a setting
        timeout: timedelta | float | None = None,
        outage_budget: timedelta | float = configuration.outage_budget(),  # noqa: B008 - a setting
        multiple_outputs: bool = configuration.multiple_outputs(),
        **kwargs: Any,
    ) -> None:
        # Airflow 3.0 does not accept None as its own default.
        limit: dict[str, Any] = {} if timeout is None else {"timeout": read_seconds("timeout", timeout)}
        super().__init__(
            poke_interval=read_seconds("poke_interval", poke_interval),
            **limit,
            multiple_outputs=read_flag("multiple_outputs", multiple_outputs),
            **kwargs,
        )
        if self.mode == "reschedule":
            self.poke_interval = max(self.poke_interval, reschedule_seconds())
        self.lake_conn_id = lake_conn_id
        self.deferrable = read_flag("deferrable", deferrable)
        self.outage_budget = read_seconds("outage_budget", outage_budget)
        check_constants(read_required_text, lake_conn_id=lake_conn_id)

    @cached_property
    def hook(self) -> LakeHook:
        """Hook of the connection, created when the task runs."""
        return LakeHook(read_required_text("lake_conn_id", self.lake_conn_id))

    @abstractmethod
    def _poll(self) -> PokeReturnValue:
        """Poll once; return whether the wait is over, and the summary."""

    @abstractmethod
    def _make_trigger(self, end: float) -> "BaseTrigger":
        """Return the trigger that waits in the triggerer.

        :param end: the deadline, in seconds since 1970.
        """

    @abstractmethod
    def _describe(self, summary: Any) -> str:
        """Describe the progress of the wait in a few words."""

    def poke(self, context: "Context") -> PokeReturnValue:
        """Poll once; an outage of the lake counts as "not yet" while the outage budget lasts."""
        from airflow_provider_lake.client import LakeError

        budget = self._outage_budget(context)
        if budget.is_backing_off:
            left = max(0.0, budget.retry_at - time.time())
            self.log.info("Waiting: the lake is not asked for %.0f s more, as it wants", left)
            return PokeReturnValue(is_done=False)
        with permanent_errors():
            try:
                result = self._poll()
            except LakeError as error:
                budget.tolerate(error)
                return PokeReturnValue(is_done=False)
            else:
                budget.reset()
                return result
            finally:
                self._save_outage(context, budget)

    def execute(self, context: "Context") -> Any:
        """Wait in the configured mode; return the summary."""
        with self._skipping():
            if not self.deferrable:
                return self._report(super().execute(context))
            limit = execution_deadline(context, self.execution_timeout)
            end = min(time.time() + self.timeout, math.inf if limit is None else limit)
            first = self.poke(context)
            if not first.is_done:
                self.defer(trigger=self._make_trigger(end), method_name="execute_complete", timeout=backstop(end))
            return self._report(first.xcom_value)

    def execute_complete(self, context: "Context", event: Mapping[str, Any] | None = None) -> Any:
        """Resume after the trigger fired; return the summary.

        :raises LakePermanentError: the lake refused the request.
        :raises AirflowSensorTimeout: the wait exceeded the ``timeout``.
        :raises AirflowTaskTimeout: the wait exceeded the ``execution_timeout``, which was shorter.
        :raises airflow_provider_lake.client.LakeError: an outage exceeded the budget.
        :raises LakeTriggerError: the event is not one of this provider.
        """
        with self._skipping(), permanent_errors():
            is_late = _is_late(event)
            self._task_budget.token_was_accepted = True
            found = retry_in_outage(self._poll, self._task_budget, self.poke_interval)
            if is_late and not found.is_done:
                self._require_time(context)
                raise AirflowSensorTimeout(
                    f"{self._describe(found.xcom_value)} after {self.timeout} s, the timeout of this sensor"
                )
            return self._report(found.xcom_value)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Resume after the trigger fired, or after Airflow's own timeout of the deferral."""
        with self._skipping():
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except AirflowSensorTimeout:
                self._require_time(context)
                raise

    def _require_time(self, context: "Context") -> None:
        """Raise an error if the execution timeout is over, as Airflow does for a task that waits on a worker.

        :raises AirflowTaskTimeout: the execution timeout is over.
        """
        limit = execution_deadline(context, self.execution_timeout)
        if limit is not None and limit <= time.time():
            raise AirflowTaskTimeout(f"not within {self.execution_timeout}, the execution_timeout of this task")

    def _report(self, summary: Any) -> Any:
        emit_asset_events(self.hook, self.outlets, summary)
        report_lineage(self.hook, summary, is_input=True)
        return summary

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """Skip the task under ``soft_fail`` and ``never_fail`` for the same reasons in every mode.

        Airflow's own rules differ between a poke, a resumed task, and a task whose trigger timed out.
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

    def _outage_budget(self, context: "Context") -> OutageBudget:
        """Return the outage budget; in reschedule mode the start of an outage is read from the task's state."""
        if self.reschedule:
            record = load_record(context, _OUTAGE_KEY) or {}
            since, retry_at = record.get("since"), record.get("retry_at", 0.0)
            return OutageBudget(
                self.outage_budget, self.log, since, retry_at, token_was_accepted=_was_rescheduled(context)
            )
        return self._task_budget

    def _save_outage(self, context: "Context", budget: OutageBudget) -> None:
        """Store the start of an outage for the next process, in reschedule mode."""
        if not self.reschedule:
            return
        if budget.in_outage and not budget.is_exhausted:
            since = time.time() - budget.outage_seconds
            save_record(context, _OUTAGE_KEY, {"since": since, "retry_at": budget.retry_at})
        else:
            delete_record(context, _OUTAGE_KEY)

    @cached_property
    def _task_budget(self) -> OutageBudget:
        return OutageBudget(self.outage_budget, self.log)


def _was_rescheduled(context: "Context") -> bool:
    """Whether an earlier process of this try has polled, so that the lake has accepted the token."""
    instance = context.get("ti")
    return instance is not None and instance.get_first_reschedule_date(context) is not None


def _is_late(event: Mapping[str, Any] | None) -> bool:
    """Whether an event reports that the deadline has passed.

    :raises Exception: any other exception of :func:`airflow_provider_lake.triggers.events.require_ended`.
    """
    try:
        require_ended(event)
    except WaitTimeoutError:
        return True
    return False
