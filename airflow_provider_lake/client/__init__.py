"""The datalake API in Python.

Everything begins with a :class:`Client`; every error is a :class:`LakeError`.
"""

from airflow_provider_lake.client.client import Client
from airflow_provider_lake.client.datalake import Datalake
from airflow_provider_lake.client.errors import (
    BadRequestError,
    ConflictError,
    CustomMetadataSchemaUpdateError,
    DataTimeoutError,
    DownloadError,
    DownloadFailedError,
    FileError,
    ForbiddenError,
    InsufficientResourcesError,
    InvalidQueryError,
    JobError,
    JobFailedError,
    JobKilledError,
    JobTimeoutError,
    LakeError,
    LockedError,
    NoDataError,
    NotFoundError,
    NothingDoneError,
    RateLimitedError,
    ResponseError,
    ServerError,
    TooLargeError,
    TransferError,
    TransportError,
    UnauthorizedError,
    UnexpectedResponseError,
    UnprocessableDataError,
    UploadError,
    UploadFailedError,
    UsageError,
)
from airflow_provider_lake.client.listing.multi_data import MultiData
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.jobs import Job, ProcessingTask
from airflow_provider_lake.client.resources.multi_job import MultiJob
from airflow_provider_lake.client.resources.processings import Processing
from airflow_provider_lake.client.resources.projections import Projection
from airflow_provider_lake.client.resources.sources import DataSource
from airflow_provider_lake.client.resources.states import JobStatus, UploadStatus
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transfers.error_manager import ErrorManager
from airflow_provider_lake.client.transfers.progress import track
from airflow_provider_lake.client.transport.retry import RetryPolicy

__all__ = [
    "BadRequestError",
    "Client",
    "ConflictError",
    "CustomMetadataSchemaUpdateError",
    "Data",
    "DataSource",
    "DataTimeoutError",
    "Datalake",
    "DownloadError",
    "DownloadFailedError",
    "ErrorManager",
    "FileError",
    "ForbiddenError",
    "InsufficientResourcesError",
    "InvalidQueryError",
    "Job",
    "JobError",
    "JobFailedError",
    "JobKilledError",
    "JobStatus",
    "JobTimeoutError",
    "LakeError",
    "LockedError",
    "MultiData",
    "MultiJob",
    "NoDataError",
    "NotFoundError",
    "NothingDoneError",
    "Processing",
    "ProcessingTask",
    "Projection",
    "RateLimitedError",
    "ResponseError",
    "RetryPolicy",
    "ServerError",
    "Tag",
    "TooLargeError",
    "TransferError",
    "TransportError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UnprocessableDataError",
    "UploadError",
    "UploadFailedError",
    "UploadStatus",
    "UsageError",
    "track",
]
