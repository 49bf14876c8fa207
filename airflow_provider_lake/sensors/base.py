"""What all sensors of the lake share: the same outcomes in every mode, and patience with a lake that is silent."""

import time
from collections.abc import Iterator, Mapping
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
from airflow.sdk import BaseSensorOperator

from airflow_provider_lake import configuration
from airflow_provider_lake.exceptions import WaitTimeoutError
from airflow_provider_lake.hooks.jobs import Patience
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.operators.resume import delete_record, load_record, save_record
from airflow_provider_lake.triggers.events import require_ended

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 3.0
    from airflow.exceptions import AirflowRescheduleException

if TYPE_CHECKING:
    from airflow.sdk import Context

# By so much later than the trigger itself Airflow ends a wait whose triggerer is gone.
_BACKSTOP_SECONDS = 60.0
_SILENCE = "lake_silence"


class LakeSensor(BaseSensorOperator):
    """Base of the sensors of the lake.

    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param deferrable: wait in the triggerer instead of on a worker.
    :param poke_interval: seconds between two looks at the lake.
    :param outage_budget: seconds without a break that the lake may fail to answer; in reschedule mode below Airflow 3.3
        it is the ``timeout`` that bounds this.
    """

    ui_color = "#d9edf7"

    def __init__(
        self,
        *,
        lake_conn_id: str = LakeHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = configuration.poll_interval(),  # noqa: B008 - a setting
        outage_budget: float = configuration.outage_budget(),
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.lake_conn_id = lake_conn_id
        self.deferrable = deferrable
        self.outage_budget = outage_budget

    @cached_property
    def hook(self) -> LakeHook:
        """Hook of the connection, made when the task runs."""
        return LakeHook(self.lake_conn_id)

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

    @contextmanager
    def _bearing(self, context: "Context") -> Iterator[bool]:
        """Bear in the block with a lake that does not answer, unless it has been silent for too long.

        Gives whether the lake may be asked now; one that does not answer may want to be left alone for a while.
        """
        patience = self._patience(context)
        if patience.is_asked_to_wait:
            yield False
            return
        try:
            with patience.bear():
                yield True
        finally:
            self._remember(context, patience)

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


def backstop(end: float) -> timedelta:
    """Return after how long Airflow ends a wait that its trigger, with this deadline, should have ended before.

    :param end: the deadline, in seconds since 1970.
    """
    return timedelta(seconds=max(0.0, end - time.time()) + _BACKSTOP_SECONDS)


def is_late(event: Mapping[str, Any] | None) -> bool:
    """Whether an event says that the deadline came first.

    :raises Exception: what :func:`airflow_provider_lake.triggers.events.require_ended` raises for any other reason.
    """
    try:
        require_ended(event)
    except WaitTimeoutError:
        return True
    return False
