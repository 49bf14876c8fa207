"""All errors of the client. The class tells what happened, and so whether a retry makes sense.

::

    LakeError
    ├─ UsageError (ValueError)         a wrong argument or setting; nothing was sent
    ├─ TransportError                  no usable response; whether a write was done is unknown
    │  └─ UnexpectedResponseError      a response that lacks a required field
    ├─ ResponseError                   the lake responded with an error:
    │  │                                .status .method .url .message .detail .retry_after
    │  ├─ BadRequestError              400, 422
    │  │  └─ InvalidQueryError         a query the lake cannot parse, or one that several data match
    │  ├─ UnauthorizedError            401
    │  ├─ InsufficientResourcesError   402
    │  ├─ ForbiddenError               403
    │  ├─ NotFoundError (LookupError)  404
    │  ├─ ConflictError                409
    │  ├─ TooLargeError                413
    │  ├─ LockedError                  423
    │  ├─ RateLimitedError             429
    │  └─ ServerError                  5xx
    ├─ NoDataError                     a selection that matches nothing
    ├─ NothingDoneError                none of several items could be processed
    ├─ TransferError                   object storage refused the bytes, or returned fewer than expected
    ├─ FileError                       one file: .path .message .cause
    │  ├─ UploadError                  it could not be uploaded
    │  │  └─ UnprocessableDataError    stored, but the lake cannot process it: .data
    │  └─ DownloadError                a data could not be downloaded
    ├─ UploadFailedError               several files: .errors .uploaded
    ├─ DownloadFailedError             several data: .errors .paths
    ├─ CustomMetadataSchemaUpdateError some keys of a schema: .errors
    ├─ DataTimeoutError                the lake did not process .data in time
    └─ JobError                        .job .log
       ├─ JobFailedError
       ├─ JobKilledError
       └─ JobTimeoutError              the job continues; the wait for it was given up

All are constructed from positional arguments only, so that every one can be pickled.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_lake.text.printable import to_printable
from airflow_provider_lake.text.truncation import first_lines, truncate

if TYPE_CHECKING:
    from pathlib import Path

# A Data or a Job: this module cannot import them, because both raise its errors.
DataRecord = Any
JobRecord = Any


class LakeError(Exception):
    """Base of all errors of the client.

    :ivar started_jobs: of a call that starts several jobs: those started before the error, which continue.
    """

    started_jobs: tuple[JobRecord, ...] = ()


class UsageError(LakeError, ValueError):
    """A wrong argument or setting; nothing was sent."""


class TransportError(LakeError):
    """No usable response came; whether a write was done is unknown.

    :param was_sent: False: the request certainly never reached the lake.
    """

    def __init__(self, message: str, was_sent: bool = True) -> None:
        super().__init__(message, was_sent)
        self.was_sent = was_sent

    def __str__(self) -> str:
        return str(self.args[0])


class UnexpectedResponseError(TransportError):
    """A response that lacks a required field, or has it in a form that no known lake uses."""


class ResponseError(LakeError):
    """The lake responded with an error.

    :param status: HTTP status.
    :param method: HTTP method of the request.
    :param url: URL of the request, without secrets.
    :param message: the lake's own message.
    :param detail: further details from the lake.
    :param retry_after: seconds to wait before the next attempt, as the lake requests.
    """

    def __init__(
        self, status: int, method: str, url: str, message: str, detail: Any = None, retry_after: float | None = None
    ) -> None:
        super().__init__(status, method, url, message, detail, retry_after)
        self.status = status
        self.method = method
        self.url = url
        self.message = message
        self.detail = detail
        self.retry_after = retry_after

    def __str__(self) -> str:
        detail = "" if self.detail in (None, "", []) else f": {truncate(self.detail)}"
        return f"{truncate(self.message)}{detail} ({self.status} to {self.method} {urlsplit(self.url).path})"


class BadRequestError(ResponseError):
    """400 or 422: the request contradicts itself or the state of the lake."""


class InvalidQueryError(BadRequestError):
    """The lake cannot parse the query, or several data match where one is expected."""


class UnauthorizedError(ResponseError):
    """401: no API token, or one that the lake does not know."""


class InsufficientResourcesError(ResponseError):
    """402: the organization's plan or credit does not allow it."""


class ForbiddenError(ResponseError):
    """403: the token does not allow it."""


class NotFoundError(ResponseError, LookupError):
    """404: the resource does not exist, or belongs to another organization."""


class ConflictError(ResponseError):
    """409: the name is taken, or the state does not allow it."""


class TooLargeError(ResponseError):
    """413: the request is larger than the lake accepts."""


class LockedError(ResponseError):
    """423: another operation is in progress on the resource."""


class RateLimitedError(ResponseError):
    """429: too many requests."""


class ServerError(ResponseError):
    """5xx: the lake failed."""


class NoDataError(LakeError):
    """A selection matches no data; the message names the selection."""


class NothingDoneError(LakeError):
    """None of several items could be processed; the error manager that the caller passed has the reasons."""


class TransferError(LakeError):
    """Object storage refused the bytes, or returned fewer than expected.

    :param status: HTTP status of its response.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class FileError(LakeError):
    """An operation failed on one file.

    :param path: the file, as the caller passed it; for a download, the data's filename.
    :param message: why, in one sentence.
    :param cause: the underlying error.
    """

    def __init__(self, path: str, message: str, cause: Exception | None = None) -> None:
        super().__init__(path, message, cause)
        self.path = path
        self.message = message
        self.cause = cause

    def __str__(self) -> str:
        return to_printable(f"{self.path}: {self.message}")


class UploadError(FileError):
    """One file could not be uploaded."""


class DownloadError(FileError):
    """One data could not be downloaded; the message names its id."""


class UnprocessableDataError(UploadError):
    """The file is stored, but the lake could not process it.

    :param data: the data, with its upload status and error.
    """

    def __init__(self, path: str, message: str, cause: Exception | None, data: DataRecord) -> None:
        super().__init__(path, message, cause)
        self.args = (*self.args, data)
        self.data = data


class UploadFailedError(LakeError):
    """Some of several files could not be uploaded; the others were.

    :param errors: one for each failed file.
    :param uploaded: data of the other files.
    """

    def __init__(self, errors: "Sequence[UploadError]", uploaded: Sequence[DataRecord]) -> None:
        super().__init__(errors, uploaded)
        self.errors = list(errors)
        self.uploaded = list(uploaded)

    def __str__(self) -> str:
        count = len(self.errors) + len(self.uploaded)
        return "\n".join([f"{len(self.errors)} of {count} files failed:", *first_lines(self.errors)])


class DownloadFailedError(LakeError):
    """Some of several data could not be downloaded; the others were.

    :param errors: one for each failed data.
    :param paths: files of the other data.
    """

    def __init__(self, errors: "Sequence[DownloadError]", paths: "Sequence[Path]") -> None:
        super().__init__(errors, paths)
        self.errors = list(errors)
        self.paths = list(paths)

    def __str__(self) -> str:
        count = len(self.errors) + len(self.paths)
        return "\n".join([f"{len(self.errors)} of {count} data failed:", *first_lines(self.errors)])


class CustomMetadataSchemaUpdateError(LakeError):
    """Some keys of a custom metadata schema could not be changed.

    :param errors: the error of each of these keys.
    """

    def __init__(self, errors: Mapping[str, LakeError]) -> None:
        super().__init__(errors)
        self.errors = dict(errors)

    def __str__(self) -> str:
        return "\n".join(first_lines([f"{key!r}: {error}" for key, error in self.errors.items()]))


class DataTimeoutError(LakeError):
    """The lake has not processed some data in time; the wait for them was given up.

    :param data: the unprocessed ones.
    """

    def __init__(self, data: Sequence[DataRecord]) -> None:
        super().__init__(data)
        self.data = list(data)

    def __str__(self) -> str:
        return f"{len(self.data)} data are not processed yet, first {self.data[0].filename}"


class JobError(LakeError):
    """A job did not succeed.

    :param job: the job as it was last read.
    :param log: the last lines of its log.
    """

    def __init__(self, job: JobRecord, log: Sequence[str] = ()) -> None:
        super().__init__(job, log)
        self.job = job
        self.log = list(log)

    def __str__(self) -> str:
        reason = f": {self.job.error}" if self.job.error else ""
        return "\n".join([f"job {self.job.id} is {self.job.status}{reason}", *self.log])


class JobFailedError(JobError):
    """The job failed."""


class JobKilledError(JobError):
    """The job was killed."""


class JobTimeoutError(JobError):
    """The job continues; the wait for it was given up."""


_BY_STATUS: dict[int, type[ResponseError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    402: InsufficientResourcesError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: BadRequestError,
    423: LockedError,
    429: RateLimitedError,
}


def class_of_status(status: int) -> type[ResponseError]:
    """Return the class of the error that an HTTP status means."""
    return ServerError if status >= 500 else _BY_STATUS.get(status, ResponseError)  # noqa: PLR2004 - HTTP's own number
