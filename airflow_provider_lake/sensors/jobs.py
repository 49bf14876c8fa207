"""Wait for jobs of the lake."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, conf
from airflow.sdk import BaseOperatorLink, BaseSensorOperator, PokeReturnValue

from airflow_provider_lake import configuration
from airflow_provider_lake.exceptions import LakeDeadJobError, permanent_errors
from airflow_provider_lake.hooks.jobs import Patience, describe, require_no_failure, summary_of
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.links.lake import LakeJobLink, show_job
from airflow_provider_lake.operators.selection import JobIds, as_job_ids
from airflow_provider_lake.triggers.jobs import JobTrigger, require_ended

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Job


class JobSensor(BaseSensorOperator):
    """Wait until jobs of the lake have succeeded; fail with a job's last log lines as soon as one has not.

    Returns ``{"jobs": [{"job_id", "status", "progress"}]}``, the same in every mode.

    :param job_id: id of a job, the summary of the task that started one (``job_id=launch.output``), or several of
        these (templated).
    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poke_interval: seconds between two looks at the jobs.
    :param timeout: seconds after which the wait is given up.
    :param outage_budget: seconds without a break that the lake may fail to answer; in reschedule mode it is the
        ``timeout`` that bounds this.
    """

    template_fields: Sequence[str] = ("job_id", "lake_conn_id")
    ui_color = "#d9edf7"
    operator_extra_links: Collection[BaseOperatorLink] = (LakeJobLink(),)

    def __init__(
        self,
        *,
        job_id: JobIds | Sequence[JobIds],
        lake_conn_id: str = LakeHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = configuration.poll_interval(),  # noqa: B008 - a setting
        outage_budget: float = configuration.outage_budget(),
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.job_id = job_id
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable
        self.outage_budget = outage_budget

    @cached_property
    def hook(self) -> LakeHook:
        """Hook of the connection, made when the task runs."""
        return LakeHook(self.lake_conn_id)

    def poke(self, context: "Context") -> PokeReturnValue:
        """Look at the jobs once; a lake that does not answer is asked again, until it has been silent for too long.

        :raises LakeDeadJobError: a job failed or was killed.
        """
        with permanent_errors(), self._patience.bear():
            jobs = self._read_jobs()
            return PokeReturnValue(all(job.status.is_final for job in jobs), _summary(jobs))
        return PokeReturnValue(is_done=False)

    def execute(self, context: "Context") -> Any:
        """Wait in the way that was asked for; return the summary."""
        if not self.deferrable:
            return super().execute(context)
        with self._skipping():
            first = self.poke(context)
        if not first.is_done:
            self.defer(
                trigger=JobTrigger(
                    job_ids=as_job_ids(self.job_id),
                    lake_conn_id=self.lake_conn_id,
                    poll_interval=self.poke_interval,
                    outage_budget=self.outage_budget,
                ),
                method_name="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )
        return first.xcom_value

    def execute_complete(self, context: "Context", event: Mapping[str, Any] | None = None) -> Any:
        """Resume after the trigger fired; return the summary.

        :raises LakeDeadJobError: a job failed or was killed.
        :raises LakePermanentError: the lake refused to tell about a job.
        :raises LakeTriggerError: the lake did not answer for too long, or the event is not one of ours.
        """
        with self._skipping(), permanent_errors():
            require_ended(event)
            return _summary(self._read_jobs())

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """Skip the task under ``soft_fail`` and ``never_fail`` where Airflow does in the other modes."""
        try:
            yield
        except AirflowSkipException:
            raise
        except Exception as error:
            if self.never_fail or (self.soft_fail and isinstance(error, AirflowFailException)):
                raise AirflowSkipException(f"skipped instead of failing: {error}") from error
            raise

    @cached_property
    def _patience(self) -> Patience:
        return Patience(self.outage_budget, self.log)

    def _read_jobs(self) -> "list[Job]":
        from airflow_provider_lake.client import UsageError

        job_ids = as_job_ids(self.job_id)
        if not job_ids:
            raise UsageError("no job id given to wait for")
        show_job(self.hook.client, job_ids[0])
        jobs = [self.hook.client.get_job_by_id(job_id) for job_id in job_ids]
        for job in jobs:
            self.log.info("Waiting: %s", describe(job))
            require_no_failure(job, LakeDeadJobError)
        return jobs


def _summary(jobs: "Sequence[Job]") -> dict[str, Any]:
    return {"jobs": [summary_of(job) for job in jobs]}
