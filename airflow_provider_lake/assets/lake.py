"""Datalakes as Airflow assets: ``lake://host[:port]/datalake[?tag=…]``.

The URI names a datalake, or those of its data that carry a tag, and no connection: DAGs that reach one lake by several
connections speak of the same asset.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from airflow.sdk import Asset

from airflow_provider_lake.arguments import is_template, read_names, read_required_text
from airflow_provider_lake.exceptions import LakeArgumentError

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset

SCHEME = "lake"
_TAG = "tag"
# What http and https mean by themselves.
_DEFAULT_PORTS = frozenset({80, 443})


def lake_asset(
    host: str,
    datalake: str,
    tag: str | Sequence[str] | None = None,
    *,
    watchers: Sequence[Any] = (),
    extra: Mapping[str, Any] | None = None,
) -> Asset:
    """Return the asset that a datalake is, or those of its data that carry a tag.

    :param host: of the lake, as the connection has it: a URL or a bare host name; what it may hold of user, password,
        path and default port is left out.
    :param datalake: name of the datalake.
    :param tag: name of a data tag, or several.
    :param watchers: Airflow's ``AssetWatcher`` of this asset.
    :param extra: what else Airflow shall keep with the asset.
    :raises ValueError: host or datalake is missing, or an argument is none, or a template.
    """
    return _make_asset(lake_uri(host, datalake, tag), watchers, extra)


def lake_uri(host: str, datalake: str, tag: str | Sequence[str] | None = None) -> str:
    """Return the URI of :func:`lake_asset`."""
    given = {"host": host, "datalake": datalake, "tag": tag}
    rendered = next((name for name, value in given.items() if is_template(value)), None)
    if rendered is not None:
        raise LakeArgumentError(f"{rendered} must be known where the DAG is parsed: Airflow renders nothing in assets")
    host, datalake = read_required_text("host", host), read_required_text("datalake", datalake)
    location = urlsplit(host if "://" in host else f"//{host}").netloc
    query = urlencode([(_TAG, name) for name in read_names("tag", tag)])
    return sanitize_uri(SplitResult(SCHEME, location, f"/{quote(datalake, safe='')}", query, "")).geturl()


def create_asset(
    *, host: str, datalake: str, tag: str | Sequence[str] | None = None, extra: Mapping[str, Any] | None = None
) -> Asset:
    """Make an asset for Airflow's collector of lineage, as :func:`lake_asset` does."""
    return lake_asset(host, datalake, tag, extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return a lake's URI in its one normal form, for Airflow.

    :raises ValueError: it lacks the host, names no datalake or more than one, or asks for something else than tags.
    """
    if not uri.hostname:
        raise ValueError(f"a {SCHEME} URI names a host: {SCHEME}://host/datalake")
    names = [unquote(part) for part in uri.path.split("/") if part]
    if len(names) != 1:
        raise ValueError(f"a {SCHEME} URI names one datalake: {SCHEME}://host/datalake")
    arguments = parse_qsl(uri.query, keep_blank_values=True)
    if any(name != _TAG or not value for name, value in arguments):
        raise ValueError(f"a {SCHEME} URI may ask for tags only: {SCHEME}://host/datalake?tag=name")
    return SplitResult(
        SCHEME, _location(uri), f"/{quote(names[0], safe='')}", urlencode(sorted(dict.fromkeys(arguments))), ""
    )


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> "Dataset":  # noqa: ARG001 - Airflow's signature
    """Return the dataset that OpenLineage knows an asset as: the lake as its namespace, then datalake and tags."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    namespace, name = dataset_name(asset.uri)
    return Dataset(namespace=namespace, name=name)


def dataset_name(uri: str) -> tuple[str, str]:
    """Return the namespace and the name that OpenLineage knows a lake's URI by."""
    parts = sanitize_uri(urlsplit(uri))
    name = unquote(parts.path.removeprefix("/"))
    return f"{SCHEME}://{parts.netloc}", f"{name}?{parts.query}" if parts.query else name


def is_lake_asset(asset: Any) -> bool:
    """Whether something is an asset that a lake's URI names."""
    return isinstance(asset, Asset) and urlsplit(asset.uri).scheme == SCHEME


def arrived_data_ids(events: Iterable[Any]) -> list[str]:
    """Return the ids of the data whose arrival started a DAG, each once, in the order of their creation.

    :param events: events of one asset with a watcher: ``triggering_asset_events[asset]`` of the running task's context.
        Events of other origin name no data, and add none.
    """
    ids: dict[str, None] = {}
    for event in events:
        payload = (event.extra or {}).get("payload") or {}
        ids |= dict.fromkeys(payload.get("data_ids") or ())
    return list(ids)


def _make_asset(uri: str, watchers: Sequence[Any], extra: Mapping[str, Any] | None) -> Asset:
    # By itself Airflow would take the name from what it is given, with whatever that holds.
    return Asset(name=uri, uri=uri, watchers=list(watchers), extra=None if extra is None else dict(extra))


def _location(uri: SplitResult) -> str:
    """Return host and port, in lower case and without user and default port."""
    host = (uri.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return host if uri.port is None or uri.port in _DEFAULT_PORTS else f"{host}:{uri.port}"
