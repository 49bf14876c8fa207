"""The states of data and jobs."""

from enum import StrEnum


class UploadStatus(StrEnum):
    """State of a data: stored, then read."""

    PENDING = "PENDING"
    # Part of the API, but not written any more: recording the start of a read would cost as much as its result.
    COMPUTING = "COMPUTING"
    DONE = "DONE"
    ERROR = "ERROR"


class DataType(StrEnum):
    """Kind of a data."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"


class CheckFiles(StrEnum):
    """How thoroughly an import checks files: their headers, or their whole content."""

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
        """Whether a job never leaves this state."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.KILLED}


class JobKind(StrEnum):
    """Kind of a job."""

    IMPORT = "IMPORT"
    PROCESSING = "PROCESSING"
