"""Datalakes as Airflow assets: ``lake://host[:port][/path]/datalake[?organization=…][&tag=…]``.

The URI names a datalake of an organization, or those of its data that carry a tag, and no connection: DAGs that reach
one lake by several connections speak of the same asset. Instead of the host it may hold the lake's logical name.
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
# What a URI without a port means; another one of a lake by plain HTTP is no less another lake than one of its own port.
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
    """Return the asset that a datalake is, or those of its data that carry a tag.

    :param host: of the lake, as the connection has it, a URL or a bare host name, which means https; or what the
        connection has as its ``lake_name``. User, password and default port are left out.
    :param datalake: name of the datalake.
    :param tag: name of a data tag, or several.
    :param organization: name of the organization that has the datalake; None: not said, as for the only one of a lake.
    :param watchers: Airflow's ``AssetWatcher`` of this asset.
    :param extra: what else Airflow shall keep with the asset.
    :raises ValueError: host or datalake is missing, or an argument is none, or a template.
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
    """Return the parts of a host, which name it and its path alone.

    :raises LakeArgumentError: it is none.
    """
    try:
        parts = urlsplit(host if "://" in host else f"//{host}")
        is_host = bool(parts.hostname) and parts.port != 0 and parts.scheme.lower() in {"", "http", "https"}
    except ValueError as error:
        raise LakeArgumentError(f"host {_without_port(host)!r} is no host: {error}") from None
    # What reads URLs passes over line breaks and tabs.
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
    """Make an asset for Airflow's collector of lineage, as :func:`lake_asset` does."""
    return lake_asset(host, datalake, tag, organization=organization, extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return a lake's URI in its one normal form, for Airflow.

    :raises ValueError: it lacks the host, names no datalake, or asks for something else than tags and an organization.
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
    """Return the lake that a URI is of: its host, port and path, and the organization, where it says one."""
    parts = sanitize_uri(urlsplit(uri))
    organization = dict(parse_qsl(parts.query)).get(_ORGANIZATION)
    return parts.netloc + parts.path.rpartition("/")[0], organization


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> "Dataset":  # noqa: ARG001 - Airflow's signature
    """Return the dataset that OpenLineage knows an asset as: the lake as its namespace, then datalake and tags."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    namespace, name = dataset_name(asset.uri)
    return Dataset(namespace=namespace, name=name)


def dataset_name(uri: str) -> tuple[str, str]:
    """Return the namespace and the name that OpenLineage knows a lake's URI by."""
    parts = sanitize_uri(urlsplit(uri))
    path, _, datalake = parts.path.rpartition("/")
    arguments = parse_qsl(parts.query)
    organization = dict(arguments).get(_ORGANIZATION)
    name = "/".join(filter(None, [organization, unquote(datalake)]))
    tags = urlencode([each for each in arguments if each[0] == _TAG])
    return f"{SCHEME}://{parts.netloc}{path}", f"{name}?{tags}" if tags else name


def is_lake_asset(asset: Any) -> bool:
    """Whether something is an asset that a lake's URI names."""
    return isinstance(asset, Asset) and urlsplit(asset.uri).scheme == SCHEME


def arrived_data_ids(events: Iterable[Any]) -> list[str]:
    """Return the ids of the data whose arrival started a DAG, each once, in the order of their creation.

    :param events: events of one asset: ``triggering_asset_events[asset]`` of the running task's context. Those of a
        watcher name their data, and so do those of tasks that upload: by their ids up to 100, above by their manifest,
        which is read. Other events name no data, and add none.
    :raises ValueError: an upload brought more data in than its event names, and has no manifest.
    """
    ids: dict[str, None] = {}
    for event in _events(events):
        ids |= dict.fromkeys(data_ids(payload_of(event.extra) or {}))
    return list(ids)


def _events(events: Any) -> Iterable[Any]:
    """Return events of an asset.

    :raises LakeArgumentError: it is something else, such as the events of all assets.
    """
    several = list(events) if isinstance(events, Iterable) and not isinstance(events, Mapping) else [events]
    if not all(hasattr(each, "extra") and not isinstance(each, Asset) for each in several):
        raise LakeArgumentError(
            f"events must be those of one asset, as triggering_asset_events[asset] gives them, not {shorten(events)}"
        )
    return several


def _make_asset(uri: str, watchers: Iterable[Any], extra: dict[str, Any] | None) -> Asset:
    # By itself Airflow would take the name from what it is given, with whatever that holds.
    return Asset(name=uri, uri=uri, watchers=list(watchers), extra=extra)


def _location(uri: SplitResult) -> str:
    """Return host and port, in lower case and without user and default port."""
    host = (uri.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return host if uri.port in {None, _DEFAULT_PORT} else f"{host}:{uri.port}"
