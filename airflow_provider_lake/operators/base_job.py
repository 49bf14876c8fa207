"""The base class of operators that start a job of the lake."""

import itertools
import math
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, conf

from airflow_provider_lake import configuration
from airflow_provider_lake.arguments import read_flag, read_optional_seconds, read_seconds
from airflow_provider_lake.exceptions import LakeJobError, WaitTimeoutError, permanent_errors
from airflow_provider_lake.links.lake import LakeJobLink, show_job
from airflow_provider_lake.operators.base import LakeOperator
from airflow_provider_lake.tasks.deadlines import TaskDeferralTimeout, backstop, execution_deadline
from airflow_provider_lake.tasks.fingerprints import fingerprint
from airflow_provider_lake.tasks.heartbeat import sleep_with_heartbeat
from airflow_provider_lake.tasks.jobs import (
    describe_job,
    job_summary,
    kill_job,
    log_output,
    next_interval,
    read_job,
    require_no_failure,
)
from airflow_provider_lake.tasks.outages import OutageBudget, retry_in_outage
from airflow_provider_lake.tasks.resume import (
    has_next_try,
    idempotency_key,
    is_first_try,
    load_record,
    save_record,
    will_resume_elsewhere,
)
from airflow_provider_lake.triggers.events import require_ended
from airflow_provider_lake.triggers.job import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Datalake, Job


_KEY = "lake_job"


class LakeJobOperator(LakeOperator):
    """Base of the operators that start a job and, by default, wait for it.

    On Airflow 3.3, the id of a started job is stored immediately, so that a retry waits for that job instead of
    starting another. If the lake supports idempotency keys, as the embedded lake does, this works on every Airflow
    version, and even if the response to the start request was lost. Clearing the task starts a new job, unless the old
    one is still running. If templated arguments have changed, as in a corrected DAG, a retry also starts a new job; the
    old one keeps running.

    Each returns ``{"job_id", "status", "progress", …}``, the same whether it waited here, deferred, or found its job
    again.

    :param wait_for_completion: wait until the job has ended; if the job fails, the task fails with the last lines of
        the job's log, and a retry starts another job. Otherwise return once the job is started.
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poll_interval: seconds or a ``timedelta``, the longest time between two polls of the job; a job that has just
        started is polled more often.
    :param timeout: seconds or a ``timedelta`` after which the task stops waiting and fails; None: never. The job keeps
        running, unless ``cancel_on_kill`` is set. A shorter ``execution_timeout`` of the task applies too, also while
        the task is deferred.
    :param durable: resume the job of an earlier try; None: yes.
    :param cancel_on_kill: kill the job when a user fails or clears this task while it runs, or when the wait times out.
        If Airflow only moves the task elsewhere, as when a worker shuts down, a ``durable`` task with another try left
        does not kill the job.
    :param outage_budget: seconds or a ``timedelta``, the longest outage of the lake that the wait tolerates.
    """

    template_fields: Sequence[str] = LakeOperator.template_fields
    operator_extra_links = (*LakeOperator.operator_extra_links, LakeJobLink())

    def __init__(
        self,
        *,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: timedelta | float = configuration.poll_interval(),  # noqa: B008 - a setting
        timeout: timedelta | float | None = None,
        durable: bool | None = None,
        cancel_on_kill: bool = False,
        outage_budget: timedelta | float = configuration.outage_budget(),  # noqa: B008 - a setting
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_for_completion = read_flag("wait_for_completion", wait_for_completion)
        self.deferrable = read_flag("deferrable", deferrable)
        self.poll_interval = read_seconds("poll_interval", poll_interval)
        self.timeout = read_optional_seconds("timeout", timeout)
        self.durable = durable is None or read_flag("durable", durable)
        self.cancel_on_kill = read_flag("cancel_on_kill", cancel_on_kill)
        self.outage_budget = read_seconds("outage_budget", outage_budget)
        self._job_id: str | None = None
        self._context: Context | None = None
        self._timed_out = False

    @abstractmethod
    def submit_job(self, datalake: "Datalake", key: str | None) -> "tuple[Job, dict[str, Any]]":
        """Start the job; return it, and the details that the summary has in addition to those of the job.

        :param key: idempotency key of the request: for the same key, the lake returns the same job.
        """

    def execute(self, context: "Context") -> dict[str, Any]:
        """Start the job, or find the one that an earlier try started; wait for it; return the summary."""
        self._context = context
        try:
            return self._execute(context)
        except AirflowTaskTimeout:
            # Airflow calls on_kill next, but does not pass the reason.
            self._timed_out = True
            raise

    def _execute(self, context: "Context") -> dict[str, Any]:
        with permanent_errors():
            arguments = fingerprint({name: getattr(self, name) for name in self.template_fields})
            job, details = self._find_job(context, arguments) or self._start_job(context, arguments)
        self._job_id = job_id = str(job.id)
        show_job(self.hook.client, job_id)
        if not self.wait_for_completion or job.status.is_final:
            return self._finish(job, details)
        deadline = self._deadline(context)
        if self.deferrable:
            self.defer(
                trigger=JobTrigger(
                    job_id=job_id,
                    lake_conn_id=self.lake_conn_id,
                    poll_interval=self.poll_interval,
                    outage_budget=self.outage_budget,
                    since=time.time(),
                    deadline=deadline,
                    cancel_on_kill=self.cancel_on_kill,
                    details=details,
                ),
                method_name="execute_complete",
                kwargs={"job_id": job_id, "details": details},
                timeout=backstop(deadline),
            )
        with permanent_errors():
            return self._finish(self._wait(job_id, deadline), details)

    def execute_complete(
        self,
        context: "Context",
        event: Mapping[str, Any] | None = None,
        job_id: str = "",
        details: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Resume after the trigger fired; return the summary."""
        self._context = context
        # `airflow dags test` drops the other arguments; the trigger event of an earlier version has neither.
        payload = event or {}
        self._job_id = job_id = str(payload.get("job_id") or job_id)
        details = payload.get("details") or details or {}
        try:
            require_ended(event)
        except WaitTimeoutError:
            return self._time_out(job_id, details)
        with permanent_errors():
            return self._finish(self._read(job_id, token_was_accepted=True), details)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: "Context") -> Any:
        """Resume after the trigger fired, or after the deferral timed out, as it does when no triggerer runs."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            # Airflow has dropped the method's arguments; only the record stored for later tries is left.
            record = load_record(context, _KEY)
            if record is None:
                raise
            self._context, self._job_id = context, record["job_id"]
            return self._time_out(record["job_id"], record["details"])

    def on_kill(self) -> None:
        """Kill the job too, if ``cancel_on_kill`` is set and the task is not merely moved to another worker."""
        if not self.cancel_on_kill or self._job_id is None:
            return
        if (
            self.durable
            and not self._timed_out
            and has_next_try(self._context)
            and will_resume_elsewhere(self._context)
        ):
            self.log.info("Job %s goes on: this task is not over, and its next try waits for it", self._job_id)
            return
        kill_job(self.hook.client, self._job_id, self.log)

    def _find_job(self, context: "Context", arguments: str) -> "tuple[Job, dict[str, Any]] | None":
        """Return the job of an earlier try, if this try should still wait for it.

        :param arguments: fingerprint of this try's arguments; a job that was started with others is not reused.
        """
        from airflow_provider_lake.client import NotFoundError

        record = load_record(context, _KEY) if self.durable else None
        if record is None:
            return None
        if record.get("arguments", arguments) != arguments:
            self.log.info("Job %s of an earlier try was started with other arguments", record["job_id"])
            return None
        try:
            job = self._read(record["job_id"])
        except NotFoundError:
            self.log.warning("The lake has forgotten job %s of an earlier try; starting another", record["job_id"])
            return None
        is_running = not job.status.is_final
        if is_running and self.cancel_on_kill and is_first_try(context):
            # The task was cleared while it waited; Airflow may cancel its trigger later, or never.
            self.log.info("This task was cleared: the job of before ends with it")
            kill_job(self.hook.client, record["job_id"], self.log)
            return None
        if is_running or (job.status.is_successful and not is_first_try(context)):
            self.log.info("Found again: %s", describe_job(job))
            self.get_datalake()  # for its links
            return job, record["details"]
        return None

    def _start_job(self, context: "Context", arguments: str) -> "tuple[Job, dict[str, Any]]":
        job, details = self._submit_once(context, arguments, self.get_datalake())
        self._job_id = str(job.id)
        if self.durable:
            save_record(context, _KEY, {"job_id": str(job.id), "details": details, "arguments": arguments})
        return job, details

    def _submit_once(self, context: "Context", arguments: str, datalake: "Datalake") -> "tuple[Job, dict[str, Any]]":
        """Start the job, or return the one that the lake has started for an earlier try.

        Each earlier try has left at most one failed job: if a new job fails immediately too, it is returned as it is.
        """
        uses_keys = self.durable and self.hook.client.supports_idempotency_keys
        for number in itertools.count(1):
            key = idempotency_key(context, arguments, number) if uses_keys else None
            job, details = self.submit_job(datalake, key)
            # A failed job of an earlier try is not worth waiting for: the next key starts another job.
            is_usable = not job.status.is_final or job.status.is_successful
            if key is None or is_usable or number > context["ti"].try_number:
                break
        return job, details

    def _deadline(self, context: "Context") -> float | None:
        """Return when the wait times out, in seconds since 1970; None: never."""
        ends = [None if self.timeout is None else time.time() + self.timeout]
        if self.deferrable:
            ends.append(execution_deadline(context, self.execution_timeout))
        return min((end for end in ends if end is not None), default=None)

    def _read(self, job_id: str, *, token_was_accepted: bool = False) -> "Job":
        """Read the job, and retry during an outage of the lake."""
        budget = OutageBudget(self.outage_budget, self.log, token_was_accepted=token_was_accepted)
        return retry_in_outage(lambda: read_job(self.hook.client, job_id), budget, self.poll_interval)

    def _wait(self, job_id: str, deadline: float | None) -> "Job":
        """Poll the job until it has ended."""
        from airflow_provider_lake.client import LakeError

        budget, last = OutageBudget(self.outage_budget, self.log, token_was_accepted=True), f"job {job_id}"
        started = last_logged = time.monotonic()
        while True:
            try:
                job = read_job(self.hook.client, job_id)
            except LakeError as error:
                budget.tolerate(error)
            else:
                budget.reset()
                if describe_job(job) != last:
                    last = describe_job(job)
                    self.log.info("Waiting: %s", last)
                    last_logged = time.monotonic()
                if job.status.is_final:
                    return job
            left = math.inf if deadline is None else deadline - time.time()
            if left <= 0:
                self._raise_timeout(job_id)
            pause = budget.next_delay(next_interval(time.monotonic() - started, self.poll_interval))
            last_logged = sleep_with_heartbeat(min(pause, left), self.log, last, last_logged)

    def _time_out(self, job_id: str, details: dict[str, Any]) -> dict[str, Any]:
        """Fail with a timeout, unless the job has ended since the trigger's last poll."""
        with permanent_errors():
            job = self._read(job_id, token_was_accepted=True)
        if job.status.is_final:
            return self._finish(job, details)
        return self._raise_timeout(job_id)

    def _raise_timeout(self, job_id: str) -> NoReturn:
        if self.cancel_on_kill:
            kill_job(self.hook.client, job_id, self.log)
        of_task = None if self.execution_timeout is None else self.execution_timeout.total_seconds()
        limits = {"timeout": self.timeout, "execution_timeout": of_task}
        given = ", ".join(f"{name} is {limit:g} s" for name, limit in limits.items() if limit is not None)
        raise WaitTimeoutError(f"job {job_id} has not ended in time; {given}")

    def _finish(self, job: "Job", details: dict[str, Any]) -> dict[str, Any]:
        if self.wait_for_completion:
            require_no_failure(job, LakeJobError)
            if job.status.is_final:
                log_output([job], self.log)
        self.log.info("Done: %s", describe_job(job))
        summary = job_summary(job) | details
        if self.wait_for_completion and job.status.is_final:
            summary |= self.check_result(job)
        return self.report(summary)

    def check_result(self, job: "Job") -> dict[str, Any]:
        """Return what a successful job adds to the summary, or raise if its result is not acceptable."""
        return {}
