"""Datalakes as Airflow assets: ``lake://host[:port][/path]/datalake[?organization=…][&tag=…]``.

The URI names a datalake of an organization, or the data of it that have a tag. It does not name a connection: DAGs that
use several connections to one lake share its assets. Instead of the host, it may contain the lake's logical name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from airflow.sdk import Asset

from airflow_provider_lake.arguments import (
    flat_items,
    is_template,
    read_mapping,
    read_names,
    read_required_text,
    read_text,
)
from airflow_provider_lake.exceptions import LakeArgumentError
from airflow_provider_lake.tasks.summaries import data_ids, payload_of
from airflow_provider_lake.text.argument_text import shorten

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset

SCHEME = "lake"
_TAG = "tag"
_ORGANIZATION = "organization"
# Port of a URI without one. A lake by plain HTTP gets port 80 in its URI, because it is another lake than by HTTPS.
_DEFAULT_PORT = 443
_PLAIN_PORT = 80
_FORM = f"{SCHEME}://host/datalake"


def lake_asset(
    host: str,
    datalake: str,
    tag: str | Sequence[str] | None = None,
    *,
    organization: str | None = None,
    watchers: Sequence[Any] = (),
    extra: Mapping[str, Any] | None = None,
) -> Asset:
    """Return the asset of a datalake, or of those of its data that have a tag.

    :param host: host of the lake as in the connection: a URL, or a bare host name, which means https; or the
        ``lake_name`` of the connection. User, password and default port are left out.
    :param datalake: name of the datalake.
    :param tag: name of a data tag, or several.
    :param organization: name of the organization that owns the datalake; None: unspecified, as for a lake that has
        only one.
    :param watchers: Airflow's ``AssetWatcher`` of this asset, or several.
    :param extra: further values that Airflow stores with the asset.
    :raises ValueError: host or datalake is missing, or an argument is not valid, or is a template.
    """
    several = flat_items("watchers", watchers)
    return _make_asset(lake_uri(host, datalake, tag, organization), several, read_mapping("extra", extra))


def lake_uri(host: str, datalake: str, tag: str | Sequence[str] | None = None, organization: str | None = None) -> str:
    """Return the URI of :func:`lake_asset`."""
    arguments = {"host": host, "datalake": datalake, "tag": tag, "organization": organization}
    rendered = next((name for name, value in arguments.items() if is_template(value)), None)
    if rendered is not None:
        raise LakeArgumentError(f"{rendered} must be known where the DAG is parsed: Airflow renders nothing in assets")
    host, datalake = read_required_text("host", host), read_required_text("datalake", datalake)
    organization = read_text("organization", organization)
    given = _host_of(host)
    if not given.netloc.isascii():
        raise LakeArgumentError(f"host must be in ASCII, as xn--… where it has other letters, not {host!r}")
    is_plain = given.scheme.lower() == "http" and given.port is None
    location = f"{given.netloc}:{_PLAIN_PORT}" if is_plain else given.netloc
    tags, parameters = read_names("tag", tag), [(_ORGANIZATION, organization)] if organization else []
    path = f"{given.path.rstrip('/')}/{quote(datalake, safe='')}"
    query = urlencode([*parameters, *((_TAG, name) for name in tags)])
    return sanitize_uri(SplitResult(SCHEME, location, path, query, "")).geturl()


def _host_of(host: str) -> SplitResult:
    """Return the parts of a host, which may contain scheme, port and path.

    :raises LakeArgumentError: the value is not a host.
    """
    try:
        parts = urlsplit(host if "://" in host else f"//{host}")
        is_host = bool(parts.hostname) and parts.port != 0 and parts.scheme.lower() in {"", "http", "https"}
    except ValueError as error:
        raise LakeArgumentError(f"host {_without_port(host)!r} is no host: {error}") from None
    # URL parsers skip line breaks and tabs.
    if not is_host or parts.query or parts.fragment or " " in host or not host.isprintable():
        raise LakeArgumentError(
            f"host {_without_port(host)!r} is no host: give one such as https://host:port, or a bare name"
        )
    return parts


def _without_port(host: str) -> str:
    return host.rpartition("@")[2]


def create_asset(
    *,
    host: str,
    datalake: str,
    tag: str | Sequence[str] | None = None,
    organization: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Asset:
    """Create an asset for Airflow's lineage collector, as :func:`lake_asset` does."""
    return lake_asset(host, datalake, tag, organization=organization, extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return a lake's URI in its normal form, for Airflow.

    :raises ValueError: the URI has no host or no datalake, or has other parameters than tags and an organization.
    """
    if not uri.hostname:
        raise ValueError(f"a {SCHEME} URI names a host: {_FORM}")
    names = [unquote(part) for part in uri.path.split("/") if part]
    if not names:
        raise ValueError(f"a {SCHEME} URI names one datalake: {_FORM}")
    arguments = parse_qsl(uri.query, keep_blank_values=True)
    organizations = {value for name, value in arguments if name == _ORGANIZATION}
    if any(name not in {_TAG, _ORGANIZATION} or not value for name, value in arguments) or len(organizations) > 1:
        raise ValueError(
            f"a {SCHEME} URI may ask for an organization and tags only: {_FORM}?organization=name&tag=name"
        )
    path = "".join(f"/{quote(name, safe='')}" for name in names)
    return SplitResult(SCHEME, _location(uri), path, urlencode(sorted(dict.fromkeys(arguments))), "")


def lake_of(uri: str) -> tuple[str, str | None]:
    """Return the lake of a URI (its host, port and path), and the organization, if the URI names one."""
    parts = sanitize_uri(urlsplit(uri))
    organization = dict(parse_qsl(parts.query)).get(_ORGANIZATION)
    return parts.netloc + parts.path.rpartition("/")[0], organization


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> "Dataset":  # noqa: ARG001 - Airflow's signature
    """Return the OpenLineage dataset of an asset: the lake is its namespace, datalake and tags are its name."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    namespace, name = dataset_name(asset.uri)
    return Dataset(namespace=namespace, name=name)


def dataset_name(uri: str) -> tuple[str, str]:
    """Return the OpenLineage namespace and name of a lake's URI."""
    parts = sanitize_uri(urlsplit(uri))
    path, _, datalake = parts.path.rpartition("/")
    arguments = parse_qsl(parts.query)
    organization = dict(arguments).get(_ORGANIZATION)
    name = "/".join(filter(None, [organization, unquote(datalake)]))
    tags = urlencode([each for each in arguments if each[0] == _TAG])
    return f"{SCHEME}://{parts.netloc}{path}", f"{name}?{tags}" if tags else name


def is_lake_asset(asset: Any) -> bool:
    """Whether an object is an asset with a lake's URI."""
    return isinstance(asset, Asset) and urlsplit(asset.uri).scheme == SCHEME


def arrived_data_ids(events: Iterable[Any]) -> list[str]:
    """Return the ids of the data whose arrival started a DAG, each once, in the order of their creation.

    :param events: events of one asset: ``triggering_asset_events[asset]`` of the running task's context. Events of a
        watcher contain the ids of their data. Events of uploads contain up to 100 ids; for more data, the ids are read
        from the upload's manifest. Other events contain no ids, and add none.
    :raises ValueError: an upload created more data than its event contains, and has no manifest.
    """
    ids: dict[str, None] = {}
    for event in _events(events):
        ids |= dict.fromkeys(data_ids(payload_of(event.extra) or {}))
    return list(ids)


def _events(events: Any) -> Iterable[Any]:
    """Return events of an asset.

    :raises LakeArgumentError: the value is something else, such as the events of all assets.
    """
    several = list(events) if isinstance(events, Iterable) and not isinstance(events, Mapping) else [events]
    if not all(hasattr(each, "extra") and not isinstance(each, Asset) for each in several):
        raise LakeArgumentError(
            f"events must be those of one asset, as triggering_asset_events[asset] gives them, not {shorten(events)}"
        )
    return several


def _make_asset(uri: str, watchers: Iterable[Any], extra: dict[str, Any] | None) -> Asset:
    # Set the name too: otherwise Airflow would use the URI as given, before it is sanitized.
    return Asset(name=uri, uri=uri, watchers=list(watchers), extra=extra)


def _location(uri: SplitResult) -> str:
    """Return host and port, in lower case and without user and default port."""
    host = (uri.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return host if uri.port in {None, _DEFAULT_PORT} else f"{host}:{uri.port}"
