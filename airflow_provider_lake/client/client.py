"""The client's entry point: one lake, one token, one organization."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from airflow_provider_lake.client.arguments import read_optional_list, read_value
from airflow_provider_lake.client.datalake import Datalake
from airflow_provider_lake.client.errors import NotFoundError, ResponseError, UnexpectedResponseError, UsageError
from airflow_provider_lake.client.resources.base import parse_id
from airflow_provider_lake.client.resources.jobs import Job
from airflow_provider_lake.client.resources.processings import Processing, get_public_processing, processings
from airflow_provider_lake.client.resources.sources import DataSource, data_sources
from airflow_provider_lake.client.transport.base import without_secrets
from airflow_provider_lake.client.transport.fields import page_items, read_field, read_id
from airflow_provider_lake.client.transport.retry import RetryPolicy
from airflow_provider_lake.client.transport.session import Session, make_transport

if TYPE_CHECKING:
    import requests

DEFAULT_HOST = "https://app.picsellia.com"


class Client:
    """One organization of a lake, for one API token. May be used by many threads at a time.

    The constructor requests the token's user and organization from the lake.

    :param api_token: from the lake's settings page, or from ``lake serve``.
    :param organization_id: the organization; with neither id nor name, the token's default one.
    :param organization_name: the organization by name.
    :param host: base URL of the lake.
    :param session: sends instead of libcurl, for proxies, client certificates and the like.
    :param timeout: seconds to wait for a connection, and for each next bytes of a response.
    :param verify: whether to check TLS certificates, or the path of the CA bundle to check them by.
    :param retry: when a request is sent again.
    :param compare_digests: whether to compare the MD5 that a storage reports with that of the bytes sent.
    :param renew_token: returns a new token from wherever it is stored. Called when the lake refuses the present one,
        for instance after a rotation; then the request is sent again. Any thread may call it.
    :raises UsageError: no token, no usable host, or no organization is given.
    :raises UnauthorizedError: the lake does not know the token.
    :raises NotFoundError: there is no such organization.
    :raises TransportError: the lake does not respond.
    """

    def __init__(
        self,
        api_token: str | None = None,
        organization_id: str | UUID | None = None,
        organization_name: str | None = None,
        host: str = DEFAULT_HOST,
        session: "requests.Session | None" = None,
        *,
        timeout: float = 30.0,
        verify: bool | str = True,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        compare_digests: bool = True,
        renew_token: Callable[[], str] | None = None,
    ) -> None:
        self._transport = make_transport(timeout, verify, session)
        self._session = Session(checked_host(host), checked_token(api_token), self._transport, retry, renew_token)
        self._session.compare_digests = compare_digests
        user = self._read_user()
        self.username = read_field(user, "username", str)
        self._session.supports_idempotency_keys = bool(user.get("idempotency_keys"))
        self._session.supports_check_files = bool(user.get("check_files"))
        organization = self._find_organization(organization_id, organization_name, user)
        self.organization_id = read_id(organization, "id")
        self.organization_name = read_field(organization, "name", str)
        self._session.organization_id = self.organization_id
        if organization.get("default_connector_id") is not None:
            self._session.connector_id = read_id(organization, "default_connector_id")

    def __repr__(self) -> str:
        return f"Client({self._session.host!r}, organization {self.organization_name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a ``session`` that was passed in stays open."""
        self._transport.close()

    @property
    def host(self) -> str:
        """Base URL of the lake."""
        return self._session.host

    @property
    def supports_idempotency_keys(self) -> bool:
        """Whether the lake starts only one job for all calls with the same ``idempotency_key``."""
        return self._session.supports_idempotency_keys

    def get_datalake(self, id: str | UUID | None = None, name: str | None = None) -> Datalake:
        """Return a datalake of the organization; with neither id nor name, its default one.

        :raises NotFoundError: there is no such datalake.
        """
        params = [("id", None if id is None else parse_id(id)), ("name", name)]
        wanted = "default datalake" if id is None and name is None else f"datalake {name or id!r}"
        missing = f"no {wanted} in organization {self.organization_name!r}"
        json = self._session.find(
            f"{self._path}/datalake", params, missing, lambda: (each.name for each in self.list_datalakes())
        )
        return Datalake.from_json(self._session, json)

    def list_datalakes(self) -> list[Datalake]:
        """Return the datalakes of the organization."""
        page = self._session.request("GET", f"{self._path}/datalakes")
        return [Datalake.from_json(self._session, json) for json in page_items(page)]

    def create_datasource(self, name: str) -> DataSource:
        """Create a data source.

        :raises ConflictError: the name is taken.
        """
        return data_sources(self._session).create(name)

    def get_datasource(self, name: str) -> DataSource:
        """Return the data source of this name.

        :raises NotFoundError: there is none.
        """
        return data_sources(self._session).get(name)

    def get_or_create_datasource(self, name: str) -> DataSource:
        """Return the data source of this name; create it when there is none."""
        return data_sources(self._session).get_or_create(name)

    def list_datasources(
        self, limit: int | None = None, offset: int | None = None, order_by: Sequence[str] | None = None
    ) -> list[DataSource]:
        """Return the data sources.

        :param limit: maximum number of sources.
        :param offset: number of sources to skip.
        :param order_by: fields, with a ``-`` prefix for descending order.
        """
        return list(data_sources(self._session).list(limit, offset, order_by))

    def get_job_by_id(self, id: str | UUID) -> Job:
        """Return a job.

        :raises NotFoundError: there is none with this id.
        """
        job_id = parse_id(id)
        missing = f"no job with id {job_id} in organization {self.organization_name!r}"
        return Job.from_json(self._session, self._session.find(f"{self._path}/jobv2s/find", [("id", job_id)], missing))

    def create_processing(
        self,
        name: str,
        target: str,
        default_cpu: int,
        default_gpu: int,
        default_parameters: Mapping[str, Any],
        docker_image: str,
        docker_tag: str,
        docker_flags: str | Sequence[str] | None = None,
        type: str | None = None,
        description: str | None = None,
    ) -> Processing:
        """Create a processing.

        :param target: kind of resource that it works on; ``DATALAKE``.
        :raises ConflictError: the name is taken.
        """
        return processings(self._session).create(
            name,
            target=target,
            description=description,
            type=type,
            default_cpu=default_cpu,
            default_gpu=default_gpu,
            default_parameters=default_parameters,
            docker_image=docker_image,
            docker_tag=docker_tag,
            docker_flags=read_optional_list("docker_flags", docker_flags, str),
        )

    def get_processing(self, name: str) -> Processing:
        """Return the processing of this name.

        :raises NotFoundError: there is none.
        """
        return processings(self._session).get(name)

    def get_public_processing(self, name: str) -> Processing:
        """Return the public processing of this name, which the lake offers to every organization.

        :raises NotFoundError: there is none.
        """
        return get_public_processing(self._session, name)

    def list_processings(
        self, limit: int | None = None, offset: int | None = None, order_by: Sequence[str] | None = None
    ) -> list[Processing]:
        """Return the processings of the organization.

        :param limit: maximum number of processings.
        :param offset: number of processings to skip.
        :param order_by: fields, with a ``-`` prefix for descending order.
        """
        return list(processings(self._session).list(limit, offset, order_by))

    @property
    def _path(self) -> str:
        return f"/api/organization/{self.organization_id}"

    def _read_user(self) -> Any:
        """Return the user and organization of the token, as the lake reports them.

        :raises UnexpectedResponseError: the server at this address is not a lake.
        """
        host = without_secrets(self._session.host)
        try:
            user = self._session.request("GET", "/api/home/ping")
        except UnexpectedResponseError as error:
            raise UnexpectedResponseError(f"{host} is no lake: {error}") from error
        except ResponseError as error:
            # A redirect, or a server that does not know the path.
            if error.status >= HTTPStatus.BAD_REQUEST and not isinstance(error, NotFoundError):
                raise
            message = f"{host} is no lake: {error.message}"
            raise type(error)(error.status, error.method, error.url, message, error.detail) from error
        if not isinstance(user, dict) or not isinstance(user.get("username"), str):
            what = "nothing" if user is None else "JSON, but not as a lake does"
            raise UnexpectedResponseError(f"{host} is no lake: it answered {what}")
        return user

    def _find_organization(
        self, organization_id: str | UUID | None, organization_name: str | None, user: Mapping[str, Any]
    ) -> Any:
        wanted = None if organization_id is None else parse_id(organization_id)
        if wanted is None and organization_name is not None:
            missing = f"no organization named {organization_name!r} for {self.username}"
            found = self._session.find("/api/organizations/find", [("name", organization_name)], missing)
            wanted = read_id(found, "id")
        if wanted is None and user.get("default_organization") is None:
            raise UsageError("the token has no default organization: give organization_id or organization_name")
        wanted = wanted or read_id(user, "default_organization")
        return self._session.find(f"/api/organization/{wanted}", (), f"no organization {wanted} for {self.username}")


def checked_host(host: str) -> str:
    """Return the base URL of a lake, without trailing slashes.

    :raises UsageError: it is not the URL of a host.
    """
    url: str = read_value("host", host, str)
    bare = url.rpartition("@")[2]
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"host {bare!r} must begin with http:// or https://")
    # URL parsers skip line breaks and tabs: the token would go to another host.
    if not url.isprintable() or " " in url:
        raise UsageError(f"host {bare!r} has white space or a character in it that no host has")
    try:
        parts = urlsplit(url)
        has_name = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise UsageError(f"host {bare!r} is no host: {error}") from None
    if not has_name or parts.query or parts.fragment:
        raise UsageError(f"host {bare!r} is no host: give a URL such as https://host:port, with nothing behind it")
    return url.rstrip("/")


def checked_token(api_token: str | None) -> str:
    """Return an API token without surrounding white space.

    :raises UsageError: it is empty, or has characters that no token has.
    """
    token = (api_token or "").strip()
    if not token:
        raise UsageError("no API token given: pass api_token, as the lake's settings page or `lake serve` shows it")
    # An error of the HTTP library would reveal the token.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("the API token holds characters that no token has")
    return token
