"""Wait for jobs of the lake."""

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
from airflow.triggers.base import StartTriggerArgs

from airflow_provider_lake.exceptions import LakeDeadJobError, WaitTimeoutError, permanent_errors
from airflow_provider_lake.hooks.jobs import (
    OUTAGE_BUDGET_SECONDS,
    JobIds,
    Patience,
    as_job_ids,
    describe,
    insist,
    read_job,
    require_no_failure,
    summary_of,
)
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.operators.resume import delete_record, load_record, save_record
from airflow_provider_lake.triggers.events import require_ended
from airflow_provider_lake.triggers.jobs import JobTrigger

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 3.0
    from airflow.exceptions import AirflowRescheduleException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Job

_SILENCE = "lake_silence"
# By so much later than the trigger itself Airflow ends a wait whose triggerer is gone.
_BACKSTOP_SECONDS = 60.0
# Airflow below 3.3 renders no templates for triggers.
_TEMPLATE_MARKS = ("{{", "{%", "{#")


class JobSensor(BaseSensorOperator):
    """Wait until jobs of the lake have succeeded; fail with a job's last log lines as soon as one has not.

    Returns ``{"jobs": [{"job_id", "status", "progress"}]}``, the same in every mode.

    :param job_id: id of a job, the summary of the task that started one (``job_id=launch.output``), or several of
        these (templated).
    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param start_from_trigger: begin in the triggerer, without a first look on a worker; only together with
        ``deferrable``, and for a ``job_id`` that is known without another task's result: a plain one, or a template
        over ``params`` and ``dag_run.conf`` (Airflow 3.3; below it, and in mapped tasks, it begins on a worker).
    :param poke_interval: seconds between two looks at the jobs; when deferred, the longest time between them.
    :param timeout: seconds after which the wait is given up.
    :param outage_budget: seconds without a break that the lake may fail to answer; in reschedule mode below Airflow 3.3
        it is the ``timeout`` that bounds this.
    """

    template_fields: Sequence[str] = ("job_id", "lake_conn_id")
    ui_color = "#d9edf7"

    def __init__(
        self,
        *,
        job_id: JobIds | Sequence[JobIds],
        lake_conn_id: str = LakeHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        start_from_trigger: bool = False,
        poke_interval: timedelta | float = 5.0,
        outage_budget: float = OUTAGE_BUDGET_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.job_id = job_id
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable
        self.outage_budget = outage_budget
        self.start_from_trigger = deferrable and start_from_trigger and _renders_in_trigger(job_id, lake_conn_id)
        if self.start_from_trigger:
            # Of this instance alone: what a mapped task has on its class, Airflow takes for all of its instances.
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=f"{JobTrigger.__module__}.{JobTrigger.__qualname__}",
                trigger_kwargs={
                    "job_id": job_id,
                    "lake_conn_id": lake_conn_id,
                    "poll_interval": self.poke_interval,
                    "outage_budget": outage_budget,
                },
                next_method="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )

    @cached_property
    def hook(self) -> LakeHook:
        """Hook of the connection, made when the task runs."""
        return LakeHook(self.lake_conn_id)

    def poke(self, context: "Context") -> PokeReturnValue:
        """Look at the jobs once; a lake that does not answer is borne with, unless it has been silent for too long.

        :raises LakeDeadJobError: a job failed or was killed.
        """
        patience = self._patience(context)
        if patience.is_asked_to_wait:
            return PokeReturnValue(is_done=False)
        try:
            with permanent_errors(), patience.bear():
                jobs = self._read_jobs()
                return PokeReturnValue(all(job.status.is_final for job in jobs), _summary(jobs))
        finally:
            self._remember(context, patience)
        return PokeReturnValue(is_done=False)

    def execute(self, context: "Context") -> Any:
        """Wait in the way that was asked for; return the summary."""
        with self._skipping():
            if not self.deferrable:
                return super().execute(context)
            end = time.time() + self.timeout
            first = self.poke(context)
        if not first.is_done:
            self.defer(
                trigger=JobTrigger(
                    job_id=as_job_ids(self.job_id),
                    lake_conn_id=self.lake_conn_id,
                    poll_interval=self.poke_interval,
                    outage_budget=self.outage_budget,
                    since=time.time(),
                    deadline=end,
                ),
                method_name="execute_complete",
                timeout=timedelta(seconds=max(0.0, end - time.time()) + _BACKSTOP_SECONDS),
            )
        return first.xcom_value

    def execute_complete(self, context: "Context", event: Mapping[str, Any] | None = None) -> Any:
        """Resume after the trigger fired; return the summary.

        :raises LakeDeadJobError: a job failed or was killed.
        :raises LakePermanentError: the lake refused to tell about a job.
        :raises AirflowSensorTimeout: the jobs have not ended in time.
        :raises airflow_provider_lake.client.LakeError: the lake did not answer for too long.
        :raises LakeTriggerError: the event is not one of ours.
        """
        with self._skipping(), permanent_errors():
            is_late = _is_late(event)
            jobs = insist(self._read_jobs, self._own_patience, self.poke_interval)
            if is_late and not all(job.status.is_final for job in jobs):
                raise AirflowSensorTimeout(f"{describe(jobs[0])} after {self.timeout} s, the timeout of this sensor")
            return _summary(jobs)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Resume after the trigger fired, or after Airflow gave it up."""
        with self._skipping():
            return super().resume_execution(next_method, next_kwargs, context)

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

    def _patience(self, context: "Context") -> Patience:
        """Return what bears with the lake: in poke mode it lives as long as the task, else the task's state helps."""
        if self.reschedule:
            record = load_record(context, _SILENCE) or {}
            return Patience(self.outage_budget, self.log, record.get("since"), record.get("ask_again_at", 0.0))
        return self._own_patience

    def _remember(self, context: "Context", patience: Patience) -> None:
        """Keep since when the lake has been silent, for the process that pokes next."""
        if not self.reschedule:
            return
        if patience.is_silent and not patience.is_spent:
            since = time.time() - patience.silence
            save_record(context, _SILENCE, {"since": since, "ask_again_at": patience.ask_again_at})
        else:
            delete_record(context, _SILENCE)

    @cached_property
    def _own_patience(self) -> Patience:
        return Patience(self.outage_budget, self.log)

    def _read_jobs(self) -> "list[Job]":
        from airflow_provider_lake.client import UsageError

        job_ids = as_job_ids(self.job_id)
        if not job_ids:
            raise UsageError("no job id given to wait for")
        jobs = [read_job(self.hook.client, job_id) for job_id in job_ids]
        for job in jobs:
            self.log.info("Waiting: %s", describe(job))
            require_no_failure(job, LakeDeadJobError)
        return jobs


def _is_late(event: Mapping[str, Any] | None) -> bool:
    try:
        require_ended(event)
    except WaitTimeoutError:
        return True
    return False


def _renders_in_trigger(*values: Any) -> bool:
    """Whether a trigger can be started with these values: they are plain, or this Airflow renders them for it."""
    from airflow.version import version

    is_plain = not any(mark in repr(value) for value in values for mark in _TEMPLATE_MARKS)
    return is_plain or tuple(int(part) for part in version.split(".")[:2]) >= (3, 3)


def _summary(jobs: "Sequence[Job]") -> dict[str, Any]:
    return {"jobs": [summary_of(job) for job in jobs]}
