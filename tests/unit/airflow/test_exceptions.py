"""What tasks raise."""

import pickle

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_lake import exceptions
from airflow_provider_lake.client import (
    ForbiddenError,
    LakeError,
    NoDataError,
    NotFoundError,
    ServerError,
    TransportError,
    UnauthorizedError,
    UsageError,
)

OURS = [each for each in vars(exceptions).values() if isinstance(each, type) and each.__module__ == exceptions.__name__]


@pytest.mark.parametrize("error", OURS)
def test_errors_survive_pickle(error: type[Exception]) -> None:
    """Airflow hands them from process to process."""
    travelled = pickle.loads(pickle.dumps(error("what happened")))  # noqa: S301 - our own

    assert (type(travelled), str(travelled)) == (error, "what happened")


@pytest.mark.parametrize(
    ("error", "is_permanent"),
    [
        (UsageError("x"), True),
        (NoDataError("x"), True),
        (UnauthorizedError(401, "GET", "http://lake", "x"), False),
        (ForbiddenError(403, "GET", "http://lake", "x"), True),
        (NotFoundError(404, "GET", "http://lake", "x"), True),
        (TransportError("x"), False),
        (ServerError(503, "GET", "http://lake", "x"), False),
    ],
)
def test_only_what_a_retry_may_mend_is_retried(error: LakeError, is_permanent: bool) -> None:
    """Airflow does not retry an AirflowFailException; other errors pass unchanged."""
    with pytest.raises(Exception, match="x") as raised, exceptions.permanent_errors():
        raise error

    assert isinstance(raised.value, AirflowFailException) == is_permanent
    assert is_permanent or raised.value is error


def test_a_dead_job_fails_a_sensor_for_good_but_not_an_operator() -> None:
    """A retry of the operator starts another job; a retry of the sensor would read the same one."""
    assert issubclass(exceptions.LakeDeadJobError, AirflowFailException)
    assert not issubclass(exceptions.LakeJobError, AirflowFailException)
