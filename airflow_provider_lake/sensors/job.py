"""Wait for jobs of the lake."""

import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink, PokeReturnValue, XComArg
from airflow.triggers.base import StartTriggerArgs

from airflow_provider_lake.arguments import check_constants, is_template, read_flag, read_ids, read_job_ids
from airflow_provider_lake.exceptions import LakeDeadJobError
from airflow_provider_lake.links.lake import LakeJobLink, show_job
from airflow_provider_lake.sensors.base import LakeSensor
from airflow_provider_lake.tasks.jobs import (
    JobIds,
    describe_job,
    job_summary,
    log_output,
    read_job,
    require_no_failure,
)
from airflow_provider_lake.tasks.summaries import JobsSummary
from airflow_provider_lake.triggers.job import JobTrigger

if TYPE_CHECKING:
    from airflow_provider_lake.client import Job

# Airflow below 3.3 does not render templates in triggers.
_TEMPLATE_MARKS = ("{{", "{%", "{#")


class JobSensor(LakeSensor):
    """Wait until jobs of the lake have succeeded; as soon as one fails, fail with its last log lines.

    Returns ``{"jobs": [{"job_id", "status", "progress"}]}``, the same in every mode.

    :param job_id: id of a job, the summary of the task that started one (``job_id=launch.output``), or several of
        these (templated).
    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param start_from_trigger: start in the triggerer, without a first poll on a worker; only together with
        ``deferrable``, and for a ``job_id`` that does not depend on another task's result: a plain one, or a template
        with ``params`` and ``dag_run.conf`` (Airflow 3.3; below it, and in mapped tasks, it starts on a worker).
    :param poke_interval: seconds or a ``timedelta`` between two polls of the jobs; when deferred, the longest time
        between them.
    :param timeout: seconds or a ``timedelta`` after which the wait times out.
    :param outage_budget: seconds or a ``timedelta`` that one outage of the lake may last; in reschedule mode below
        Airflow 3.3, only the ``timeout`` limits an outage.
    """

    template_fields: Sequence[str] = ("job_id", "lake_conn_id")
    operator_extra_links: Collection[BaseOperatorLink] = (LakeJobLink(),)

    def __init__(self, *, job_id: JobIds | Sequence[JobIds], start_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id = job_id
        self._links_set = False
        check_constants(read_job_ids, job_id=job_id)
        self.start_from_trigger = (
            read_flag("start_from_trigger", start_from_trigger)
            and self.deferrable
            and _renders_in_trigger(job_id, self.lake_conn_id)
        )
        if self.start_from_trigger:
            # Set on this instance only: Airflow applies a class attribute to all instances of a mapped task.
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=f"{JobTrigger.__module__}.{JobTrigger.__qualname__}",
                trigger_kwargs={
                    "job_id": job_id if is_template(job_id) else read_job_ids("job_id", job_id),
                    "lake_conn_id": self.lake_conn_id,
                    "poll_interval": self.poke_interval,
                    "outage_budget": self.outage_budget,
                },
                next_method="execute_complete",
                timeout=min(filter(None, (timedelta(seconds=self.timeout), self.execution_timeout))),
            )

    def _poll(self) -> PokeReturnValue:
        """Read the jobs once; return whether all have succeeded, and the summary.

        :raises LakeDeadJobError: a job failed or was killed.
        """
        jobs = self._read_jobs()
        is_done = all(job.status.is_final for job in jobs)
        if is_done:
            log_output(jobs, self.log)
        summary: JobsSummary = {"jobs": [job_summary(job) for job in jobs]}
        return PokeReturnValue(is_done, summary)

    def _make_trigger(self, end: float) -> JobTrigger:
        """Return the trigger that waits in the triggerer.

        :param end: the deadline, in seconds since 1970.
        """
        return JobTrigger(
            job_id=read_job_ids("job_id", self.job_id),
            lake_conn_id=self.lake_conn_id,
            poll_interval=self.poke_interval,
            outage_budget=self.outage_budget,
            since=time.time(),
            deadline=end,
        )

    def _describe(self, summary: Any) -> str:
        """Describe the jobs that have not succeeded yet."""
        waiting = [job for job in summary["jobs"] if job["status"] != "SUCCEEDED"]
        return ", ".join(f"job {job['job_id']} is {job['status']}" for job in waiting)

    def _read_jobs(self) -> "list[Job]":
        from airflow_provider_lake.client import UsageError

        job_ids = read_ids("job_id", read_job_ids("job_id", self.job_id))
        if not job_ids:
            raise UsageError("job_id is empty: there is no job to wait for")
        if not self._links_set:
            show_job(self.hook.client, job_ids[0])
            self._links_set = True
        jobs = [read_job(self.hook.client, job_id) for job_id in job_ids]
        for job in jobs:
            self.log.info("Waiting: %s", describe_job(job))
            require_no_failure(job, LakeDeadJobError)
        return jobs


def _renders_in_trigger(*values: Any) -> bool:
    """Whether a trigger can be started with these values: they are plain, or this Airflow renders them for it."""
    from airflow.version import version

    if any(True for value in values for _ in XComArg.iter_xcom_references(value)):
        return False
    is_plain = not any(mark in repr(value) for value in values for mark in _TEMPLATE_MARKS)
    return is_plain or tuple(int(part) for part in version.split(".")[:2]) >= (3, 3)
