"""What a task of this provider raises beyond the client's own errors.

The client's transient errors (no answer, 429, 5xx, and 401: tokens are rotated) pass through a task unchanged, so
that Airflow's retries apply.
What a retry cannot mend is an ``AirflowFailException``, which Airflow does not retry::

    LakePermanentError (AirflowFailException)      the lake refused, and would refuse again
    └─ LakeArgumentError (ValueError)              an argument is wrong; also raised where a DAG is parsed
    LakeJobError                                   a job ended without success; a retry starts another
    └─ LakeDeadJobError (AirflowFailException)     the same, where a retry would only read that job again
    LakeUploadError                                files could not be uploaded; a retry tries those again
    LakeDownloadError                              files could not be downloaded; a retry tries those again
    LakeTriggerError                               the lake did not answer for too long
    WaitTimeoutError                               the job goes on; a retry finds it again
"""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException


class LakePermanentError(AirflowFailException):
    """The lake refused what the task asked, and would refuse it again."""


class LakeArgumentError(LakePermanentError, ValueError):
    """An argument cannot be what it is; the message names it, says what it is, and what would be right."""


class LakeJobError(Exception):
    """A job of the lake ended without success; the message ends with the last lines of its log."""


class LakeDeadJobError(LakeJobError, AirflowFailException):
    """A job that somebody else started ended without success: to read it again would change nothing."""


class LakeUploadError(Exception):
    """Files could not be uploaded; the message names them. The others are in the lake, and a retry leaves them be."""


class LakeDownloadError(Exception):
    """Data could not be downloaded; the message names them. The others are there, and a retry leaves them be."""


class LakeTriggerError(Exception):
    """A deferred task woke with an event that says why it cannot go on; a retry may."""


class WaitTimeoutError(Exception):
    """A job goes on, but the wait for it was given up; a retry finds it again."""


def permanent_classes() -> tuple[type[Exception], ...]:
    """Return the classes of those errors of the client that a retry cannot mend."""
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
    """Turn those errors of the client that a retry cannot mend into :class:`LakePermanentError`.

    :raises LakePermanentError: a wrong argument, a refused action, an unknown or taken name, an empty selection.
    """
    try:
        yield
    except permanent_classes() as error:
        raise LakePermanentError(str(error)) from error
