"""What goes wrong is named."""

import socket
from uuid import uuid4

import pytest

from airflow_provider_lake.client import (
    BadRequestError,
    Client,
    ConflictError,
    Datalake,
    InvalidQueryError,
    NoDataError,
    NotFoundError,
    RetryPolicy,
    TransportError,
    UnauthorizedError,
    UsageError,
)
from tests.lake_process import LakeProcess


@pytest.fixture
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


def test_a_wrong_token(lake: LakeProcess) -> None:
    """It is refused, and not repeated in the error."""
    with pytest.raises(UnauthorizedError) as caught:
        Client("not-the-token", host=lake.url)

    assert "not-the-token" not in str(caught.value)
    assert caught.value.status == 401


@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_token(lake: LakeProcess, token: str | None) -> None:
    """The error says how to give one."""
    with pytest.raises(UsageError, match="pass api_token"):
        Client(token, host=lake.url)


def test_a_token_that_cannot_be_sent(lake: LakeProcess) -> None:
    """It is refused before it is sent, and not shown."""
    with pytest.raises(UsageError) as caught:
        Client("to\nken", host=lake.url)

    assert "ken" not in str(caught.value).replace("token", "")


def test_an_unknown_organization(lake: LakeProcess) -> None:
    """By name and by id, the error names it."""
    with pytest.raises(NotFoundError, match="no organization named 'acme'"):
        Client(lake.token, organization_name="acme", host=lake.url)
    other = uuid4()
    with pytest.raises(NotFoundError, match=f"no organization {other}"):
        Client(lake.token, organization_id=other, host=lake.url)


def test_an_unknown_datalake(lake: LakeProcess) -> None:
    """The error names it and the organization."""
    with pytest.raises(NotFoundError, match="no datalake 'other' in organization 'local'"):
        lake.client().get_datalake(name="other")


def test_nobody_listens() -> None:
    """The error names the host, and says that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}.*refused") as caught:
        Client("token", host=f"http://127.0.0.1:{port}", retry=RetryPolicy(attempts=2, base_delay=0))

    assert not caught.value.was_sent


def test_something_else_listens() -> None:
    """A server that closes every connection is no lake."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(TransportError, match="no usable answer to GET http"),
    ):
        Client("token", host=f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.05, retry=RetryPolicy(attempts=1))


def test_a_host_without_scheme() -> None:
    """It is refused before anything is sent."""
    with pytest.raises(UsageError, match="must begin with http"):
        Client("token", host="lake.example.org")


def test_unknown_names(lake: LakeProcess, datalake: Datalake) -> None:
    """Tag, source and processing: the error names what was looked for and where."""
    client = lake.client()
    with pytest.raises(NotFoundError, match="no data tag named 'nope' in datalake 'default'"):
        datalake.get_data_tag("nope")
    with pytest.raises(NotFoundError, match=f"no data source named 'nope' in organization {client.organization_id}"):
        client.get_datasource("nope")
    with pytest.raises(NotFoundError, match=f"no processing named 'nope' in organization {client.organization_id}"):
        client.get_processing("nope")
    with pytest.raises(NotFoundError, match="no public processing named 'nope'"):
        client.get_public_processing("nope")


def test_unknown_names_name_those_that_are_near(lake: LakeProcess, datalake: Datalake) -> None:
    """One that is nearly right is found; else the first of those that there are stand there."""
    client = lake.client()
    datalake.get_or_create_data_tag("heard-of")
    client.get_or_create_datasource("north gate")
    for get, name, near in (
        (client.get_processing, "data auto taging", "did you mean 'data auto tagging'"),
        (client.get_public_processing, "Data Auto-Tagging", "did you mean 'data auto tagging'"),
        (client.get_processing, "xyz", "there are 'data auto tagging'"),
        (client.get_datasource, "nort gate", "did you mean 'north gate'"),
        (datalake.get_data_tag, "hard of", "did you mean 'heard-of'"),
        (lambda name: client.get_datalake(name=name), "defualt", "did you mean 'default'"),
    ):
        with pytest.raises(NotFoundError) as caught:
            get(name)
        assert f"; {near}" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_unknown_ids(lake: LakeProcess, datalake: Datalake) -> None:
    """Job and data: the error names the id; what is no id is refused at once."""
    unknown = uuid4()
    with pytest.raises(NotFoundError, match=f"no job with id {unknown}"):
        lake.client().get_job_by_id(unknown)
    with pytest.raises(NotFoundError, match=f"no data with id '{unknown}' in datalake 'default'"):
        datalake.find_data(id=unknown)
    with pytest.raises(UsageError, match="'nope' is no id"):
        lake.client().get_job_by_id("nope")
    with pytest.raises(UsageError, match="give the filename"):
        datalake.find_data()


def test_names_that_are_taken(lake: LakeProcess, datalake: Datalake) -> None:
    """Who creates what exists already is told so."""
    name = f"name-{uuid4()}"
    datalake.create_data_tag(name)
    lake.client().create_datasource(name)
    with pytest.raises(ConflictError, match=name):
        datalake.create_data_tag(name)
    with pytest.raises(ConflictError, match=name):
        lake.client().create_datasource(name)


def test_a_selection_without_data(datalake: Datalake) -> None:
    """The error says what was looked for, and which tag does not exist."""
    known = f"tag-{uuid4()}"
    datalake.create_data_tag(known)
    datalake.get_or_create_data_tag("heard-of")
    with pytest.raises(NoDataError) as caught:
        datalake.list_data(tags=[known, "unheard-of"])

    assert str(caught.value) == (
        f"datalake 'default' has no data for one of the tags '{known}', 'unheard-of': "
        f"it has no data tag named 'unheard-of'; did you mean 'heard-of'?"
    )
    assert list(datalake.iter_data(tags=known)) == []


def test_a_query_that_cannot_be_read(datalake: Datalake) -> None:
    """The error is of its own class, and says where the query is wrong."""
    with pytest.raises(InvalidQueryError, match="column 10"):
        datalake.list_data(q="filename ! 3")


def test_an_unknown_field_to_order_by(datalake: Datalake) -> None:
    """The error names the field."""
    with pytest.raises(BadRequestError, match="colour"):
        datalake.list_data(order_by=["colour"])


def test_a_prefix_outside_the_bucket(datalake: Datalake) -> None:
    """The lake refuses to start such an import."""
    with pytest.raises(BadRequestError, match=r"\.\."):
        datalake.import_bucket_objects(["../etc/"])


def test_the_token_is_never_shown(lake: LakeProcess) -> None:
    """Neither client nor records show it."""
    client = lake.client()

    assert lake.token not in repr(client) + repr(client.get_datalake()) + repr(vars(client))
