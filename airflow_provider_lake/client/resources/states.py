"""The states of data and jobs."""

from enum import StrEnum
from typing import Self


class _State(StrEnum):
    """A state as the lake names it; one unknown to this version keeps its name and counts as not final."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        state = str.__new__(cls, value)
        state._name_ = state._value_ = value
        return state

    def __reduce_ex__(self, _protocol: object) -> tuple[type[Self], tuple[str]]:
        """Pickle by value; some releases of Python 3.11 pickle by name, which a state that is not a member lacks."""
        return type(self), (self.value,)


class UploadStatus(_State):
    """State of a data: its bytes are stored, then processed."""

    PENDING = "PENDING"
    COMPUTING = "COMPUTING"
    DONE = "DONE"
    ERROR = "ERROR"

    @property
    def is_final(self) -> bool:
        """Whether a data in this state stays in it."""
        return self in {UploadStatus.DONE, UploadStatus.ERROR}


class JobStatus(_State):
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

    @property
    def is_successful(self) -> bool:
        """Whether the job has succeeded."""
        return self == JobStatus.SUCCEEDED
