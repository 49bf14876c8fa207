"""Exceptions that tasks of this provider raise, in addition to the client's own errors.

The client's transient errors (no response, 429, 5xx, and 401: tokens are rotated) pass through a task unchanged, so
that Airflow's retries apply.
An error that a retry cannot fix is an ``AirflowFailException``, which Airflow does not retry::

    LakePermanentError (AirflowFailException)      the lake refused, and would refuse again
    └─ LakeArgumentError (ValueError)              an argument is wrong; also raised where a DAG is parsed
    LakeJobError                                   a job ended without success; a retry starts another
    └─ LakeDeadJobError (AirflowFailException)     the same, where a retry would only read that job again
    LakeUploadError                                files could not be uploaded; a retry uploads only these
    LakeDownloadError                              files could not be downloaded; a retry downloads only these
    LakeTriggerError                               a deferred task resumed with an unexpected event
    WaitTimeoutError                               the job is still running; a retry finds it again
"""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException


class LakePermanentError(AirflowFailException):
    """The lake refused a request of the task, and would refuse it again."""


class LakeArgumentError(LakePermanentError, ValueError):
    """An argument is not valid; the message contains its name, its value and the expected value."""


class LakeJobError(Exception):
    """A job of the lake ended without success; the message ends with the last lines of its log."""


class LakeDeadJobError(LakeJobError, AirflowFailException):
    """A job that the task did not start itself ended without success: a retry would only read that job again."""


class LakeUploadError(Exception):
    """Files could not be uploaded; the message names them. The others are in the lake, and a retry skips them."""


class LakeDownloadError(Exception):
    """Data could not be downloaded; the message names them. The others are stored, and a retry skips them."""


class LakeTriggerError(Exception):
    """A deferred task resumed with an unexpected event, so it cannot continue; a retry may succeed."""


class WaitTimeoutError(Exception):
    """A job is still running, but the wait for it timed out; a retry finds it again."""


def permanent_classes() -> tuple[type[Exception], ...]:
    """Return the classes of those client errors that a retry cannot fix."""
    from airflow_provider_lake.client import errors

    return (
        errors.UsageError,
        errors.BadRequestError,
        errors.ForbiddenError,
        errors.InsufficientResourcesError,
        errors.NotFoundError,
        errors.ConflictError,
        errors.TooLargeError,
        errors.NoDataError,
    )


@contextmanager
def permanent_errors() -> Iterator[None]:
    """Turn client errors that a retry cannot fix into :class:`LakePermanentError`.

    :raises LakePermanentError: a wrong argument, a refused action, an unknown or taken name, an empty selection.
    """
    try:
        yield
    except permanent_classes() as error:
        raise LakePermanentError(str(error)) from error
