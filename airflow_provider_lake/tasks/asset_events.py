"""What a task reports to Airflow about the data that it created or processed: events of its outlets, and lineage."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import get_hook_lineage_collector
from airflow.sdk import AssetAlias, get_current_context

from airflow_provider_lake.arguments import read_names
from airflow_provider_lake.assets.lake import SCHEME, is_lake_asset, lake_asset, lake_of, lake_uri
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.hooks.connection import asset_host
from airflow_provider_lake.tasks.summaries import to_event

if TYPE_CHECKING:
    from airflow.sdk import Asset, Context

    from airflow_provider_lake.hooks.lake import LakeHook


def emit_asset_events(
    hook: "LakeHook",
    outlets: Collection[Any],
    summary: Mapping[str, Any],
    partition_key: str | Sequence[str] | None = None,
) -> None:
    """Put a task's summary into the events of its outlets; does nothing outside a running task.

    :param outlets: the task's outlets. Lake assets and aliases among them get the summary as their event's ``extra``.
        An alias gets an event for each asset of :func:`assets_for`.
    :param partition_key: partition key of the assets' events (Airflow 3.3), or several: one event for each.
    """
    context = _running_context()
    if context is None:
        return
    check_outlet_lakes(hook, outlets)
    extra = to_event(summary)
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            for asset in assets_for(hook, summary):
                context["outlet_events"][outlet].add(asset, extra)
        elif is_lake_asset(outlet):
            _emit(context, outlet, extra, read_names("partition_key", partition_key))


def report_lineage(hook: "LakeHook", summary: Mapping[str, Any], *, is_input: bool) -> None:
    """Report the datalake that a summary names to Airflow's lineage collector.

    :param is_input: the task has only read the datalake.
    """
    if _running_context() is None or not summary.get("datalake"):
        return
    collector = get_hook_lineage_collector()
    add = collector.add_input_asset if is_input else collector.add_output_asset
    add(
        context=hook,
        scheme=SCHEME,
        asset_kwargs={
            "host": asset_host(hook.connection),
            "datalake": summary["datalake"],
            "organization": hook.client.organization_name,
        },
        asset_extra=to_event(summary),
    )


def assets_for(hook: "LakeHook", summary: Mapping[str, Any]) -> "list[Asset]":
    """Return the assets of a summary: its datalake, or one asset for each tag of the data if there are tags.

    There are no assets if the task created no data: a DAG that they schedule would find no new data.
    """
    datalake = summary.get("datalake")
    if not datalake or 0 in {summary.get("uploaded"), (summary.get("progress") or {}).get("imported")}:
        return []
    host, organization = asset_host(hook.connection), hook.client.organization_name
    tags = read_names("tags", summary.get("tags") or summary.get("attached"))
    return [lake_asset(host, datalake, tag or None, organization=organization) for tag in tags or [""]]


def check_outlet_lakes(hook: "LakeHook", outlets: Iterable[Any]) -> None:
    """Refuse to emit events for another lake's asset, as when the connection has changed to another lake.

    :raises LakePermanentError: an outlet names another lake, or another organization, than the connection.
    """
    for outlet in (each for each in outlets if is_lake_asset(each)):
        lake, organization = lake_of(outlet.uri)
        organization_name = hook.client.organization_name
        connection_lake = lake_of(lake_uri(asset_host(hook.connection), "datalake", organization=organization_name))[0]
        if lake != connection_lake or organization not in {None, organization_name}:
            raise LakePermanentError(
                f"outlet {outlet.uri} is not of the lake of connection {hook.lake_conn_id!r}, "
                f"{SCHEME}://{connection_lake} with organization {organization_name!r}: name this one there, or give "
                "the connection the lake_name that the outlet has"
            )


def _running_context() -> "Context | None":
    try:
        return get_current_context()
    except RuntimeError:
        return None


def _emit(context: "Context", outlet: "Asset", extra: dict[str, Any], partition_keys: Sequence[str]) -> None:
    event = context["outlet_events"][outlet]
    event.extra.update(extra)
    if partition_keys:
        with suppress(AttributeError):  # Airflow below 3.3 has no partitions of events
            event.add_partitions(list(partition_keys))
