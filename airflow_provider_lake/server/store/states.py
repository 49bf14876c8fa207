"""The states that things of the lake go through."""

from enum import StrEnum


class UploadStatus(StrEnum):
    """State of a data: its bytes are stored, then looked at."""

    PENDING = "PENDING"
    # One of the wire's, which this lake does not write any more: to say that a look begins costs as much as its result.
    COMPUTING = "COMPUTING"
    DONE = "DONE"
    ERROR = "ERROR"


class DataType(StrEnum):
    """Kind of a data."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"


class CheckFiles(StrEnum):
    """How well files are looked at before they become data: their headers, or all that they hold."""

    HEADER = "header"
    DECODE = "decode"


class JobStatus(StrEnum):
    """State of a job."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def is_final(self) -> bool:
        """Whether a job in this state stays in it."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.KILLED}


class JobKind(StrEnum):
    """What a job does."""

    IMPORT = "IMPORT"
    PROCESSING = "PROCESSING"
