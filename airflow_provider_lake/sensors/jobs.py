"""Wait for jobs of the lake."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from airflow.sdk import BaseOperatorLink, PokeReturnValue
from airflow.triggers.base import StartTriggerArgs

from airflow_provider_lake.exceptions import LakeDeadJobError, permanent_errors
from airflow_provider_lake.hooks.jobs import (
    JobIds,
    as_job_ids,
    describe,
    insist,
    read_job,
    require_no_failure,
    summary_of,
)
from airflow_provider_lake.links.lake import LakeJobLink, show_job
from airflow_provider_lake.sensors.base import LakeSensor, backstop, is_late
from airflow_provider_lake.triggers.jobs import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Job

# Airflow below 3.3 renders no templates for triggers.
_TEMPLATE_MARKS = ("{{", "{%", "{#")


class JobSensor(LakeSensor):
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
    operator_extra_links: Collection[BaseOperatorLink] = (LakeJobLink(),)

    def __init__(self, *, job_id: JobIds | Sequence[JobIds], start_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id = job_id
        self.start_from_trigger = (
            self.deferrable and start_from_trigger and _renders_in_trigger(job_id, self.lake_conn_id)
        )
        if self.start_from_trigger:
            # Of this instance alone: what a mapped task has on its class, Airflow takes for all of its instances.
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=f"{JobTrigger.__module__}.{JobTrigger.__qualname__}",
                trigger_kwargs={
                    "job_id": job_id,
                    "lake_conn_id": self.lake_conn_id,
                    "poll_interval": self.poke_interval,
                    "outage_budget": self.outage_budget,
                },
                next_method="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )

    def poke(self, context: "Context") -> PokeReturnValue:
        """Look at the jobs once; a lake that does not answer is borne with, unless it has been silent for too long.

        :raises LakeDeadJobError: a job failed or was killed.
        """
        with permanent_errors(), self._bearing(context) as may_ask:
            if may_ask:
                jobs = self._read_jobs()
                return PokeReturnValue(all(job.status.is_final for job in jobs), _summary(jobs))
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
                timeout=backstop(end),
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
            came_late = is_late(event)
            jobs = insist(self._read_jobs, self._own_patience, self.poke_interval)
            if came_late and not all(job.status.is_final for job in jobs):
                raise AirflowSensorTimeout(f"{describe(jobs[0])} after {self.timeout} s, the timeout of this sensor")
            return _summary(jobs)

    def _read_jobs(self) -> "list[Job]":
        from airflow_provider_lake.client import UsageError

        job_ids = as_job_ids(self.job_id)
        if not job_ids:
            raise UsageError("no job id given to wait for")
        show_job(self.hook.client, job_ids[0])
        jobs = [read_job(self.hook.client, job_id) for job_id in job_ids]
        for job in jobs:
            self.log.info("Waiting: %s", describe(job))
            require_no_failure(job, LakeDeadJobError)
        return jobs


def _renders_in_trigger(*values: Any) -> bool:
    """Whether a trigger can be started with these values: they are plain, or this Airflow renders them for it."""
    from airflow.version import version

    is_plain = not any(mark in repr(value) for value in values for mark in _TEMPLATE_MARKS)
    return is_plain or tuple(int(part) for part in version.split(".")[:2]) >= (3, 3)


def _summary(jobs: "Sequence[Job]") -> dict[str, Any]:
    return {"jobs": [summary_of(job) for job in jobs]}
