"""The error tree."""

import inspect
import pickle
from pathlib import Path
from uuid import uuid4

import pytest

from airflow_provider_lake.client import Data, ErrorManager, Job, JobStatus, RetryPolicy, UploadStatus, errors
from airflow_provider_lake.client.errors import LakeError, class_of_status
from airflow_provider_lake.client.transport.session import Session, make_transport

TOKEN = "a-very-secret-token"
SESSION = Session("http://lake", TOKEN, make_transport(1, verify=True), RetryPolicy())
JOB = Job(uuid4(), SESSION, JobStatus.FAILED, error="exit code 3")
DATA = Data(uuid4(), SESSION, uuid4(), "data/a.jpg", "a.jpg", "IMAGE", "image/jpeg", UploadStatus.PENDING)
RESPONSE = (404, "GET", "http://lake/api/tag/x", "no such tag", None, 2.0)
UPLOAD = errors.UploadError("a.jpg", "is empty", OSError(2, "words"))

ARGUMENTS = {
    errors.ResponseError: RESPONSE,
    errors.UploadError: ("a.jpg", "is empty", OSError(2, "words")),
    errors.UnprocessableDataError: ("a.jpg", "is no image", None, DATA),
    errors.UploadFailedError: ([UPLOAD], []),
    errors.JobError: (JOB, ["last line"]),
    errors.CustomMetadataSchemaUpdateError: ({"key": errors.BadRequestError(*RESPONSE)},),
    errors.DataTimeoutError: ([DATA],),
    errors.TransportError: ("cut", False),
    errors.TransferError: ("refused", 403),
    errors.FileError: ("a.jpg", "is odd", ValueError("odd")),
    errors.DownloadError: ("a.jpg", "data 7: is gone", ValueError("gone")),
    errors.DownloadFailedError: ([errors.DownloadError("a.jpg", "is gone")], [Path("b.jpg")]),
    LakeError: ("words",),
}
CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LakeError)]


def _example(kind: type[LakeError]) -> LakeError:
    return next(kind(*ARGUMENTS[base]) for base in kind.__mro__ if base in ARGUMENTS)


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_survive_pickle(kind: type[LakeError]) -> None:
    """An error that crosses a process says and carries the same on the other side."""
    error = _example(kind)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(copy) is kind
    assert str(copy) == str(error)
    assert repr(vars(copy)) == repr(vars(error))


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_is_drawn(kind: type[LakeError]) -> None:
    """Every error has its place in the drawing."""
    assert kind.__name__ in (errors.__doc__ or "")


def test_no_token_leaves_in_an_error() -> None:
    """Neither text nor pickle of an error that carries a record holds the token."""
    error = errors.JobFailedError(JOB, ["last line"])

    assert TOKEN not in str(error) + repr(error) + repr(JOB) + repr(SESSION)
    assert TOKEN.encode() not in pickle.dumps(error)


def test_a_record_out_of_a_pickle_says_that_it_cannot_ask() -> None:
    """It has no token: a call is refused before anything is sent."""
    job = pickle.loads(pickle.dumps(JOB))  # noqa: S301 - our own bytes

    with pytest.raises(errors.UsageError, match="pickle"):
        job.refresh()


def test_the_lakes_words_are_kept() -> None:
    """The text of an error holds what the lake said, its detail, the status and the path."""
    error = errors.BadRequestError(422, "POST", "http://lake/api/x?q=1", "wrong body", [{"loc": "name"}])

    assert str(error) == "wrong body: [{'loc': 'name'}] (422 to POST /api/x)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequestError),
        (401, errors.UnauthorizedError),
        (402, errors.InsufficientResourcesError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (405, errors.ResponseError),
        (409, errors.ConflictError),
        (413, errors.TooLargeError),
        (422, errors.BadRequestError),
        (423, errors.LockedError),
        (429, errors.RateLimitedError),
        (500, errors.ServerError),
        (503, errors.ServerError),
    ],
)
def test_a_status_means_a_class(status: int, kind: type[LakeError]) -> None:
    """What happened decides the class."""
    assert class_of_status(status) is kind


def test_a_failed_upload_names_every_file() -> None:
    """Nothing fails silently: the text holds one line for each file."""
    error = errors.UploadFailedError([UPLOAD, errors.UploadError("b.jpg", "is a folder")], [])

    assert str(error) == "2 of 2 files failed:\na.jpg: is empty\nb.jpg: is a folder"


def test_messages_of_many_are_bounded() -> None:
    """They end up in logs, in mails and in Airflow's database."""
    many = 100_000
    uploads = [errors.UploadError(f"{number}.jpg", "is empty") for number in range(many)]
    downloads = [errors.DownloadError(f"{number}.jpg", "is gone") for number in range(many)]
    manager = ErrorManager()
    for upload in uploads:
        manager.append(upload)
    keys: dict[str, LakeError] = {str(number): LakeError("odd") for number in range(many)}
    told = [
        errors.UploadFailedError(uploads, []),
        errors.DownloadFailedError(downloads, []),
        errors.CustomMetadataSchemaUpdateError(keys),
        manager,
        errors.BadRequestError(422, "POST", "http://lake/api", "x" * many, ["y" * many]),
    ]

    assert max(len(str(each)) for each in told) < 5000
    assert str(told[0]).startswith("100000 of 100000 files failed:\n0.jpg: is empty\n")
    assert str(told[0]).endswith("19.jpg: is empty\n… and 99980 more")
    assert len(manager.errors) == many
