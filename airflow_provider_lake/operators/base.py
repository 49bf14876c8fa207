"""The base class of all lake operators."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink

from airflow_provider_lake import configuration
from airflow_provider_lake.arguments import check_constants, read_flag, read_names, read_required_text, read_text
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.links.lake import LakeDatalakeLink, LakeDataLink, show_data, show_datalake
from airflow_provider_lake.tasks.asset_events import check_outlet_lakes, emit_asset_events, report_lineage
from airflow_provider_lake.tasks.lineage import LakeLineage

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake


class LakeOperator(LakeLineage, BaseOperator):
    """Base of the operators that work on one datalake.

    :param lake_conn_id: id of a connection of type ``lake`` (templated).
    :param datalake: name of the datalake (templated); None: the connection's datalake, else the organization's default.
    :param partition_key: one or several partition keys (templated) for the asset events of this task's outlets that are
        lake assets; from Airflow 3.3 on.
    :param multiple_outputs: let other tasks read single values of the summary that this task returns, as
        ``task.output["job_id"]``.
    """

    template_fields: Sequence[str] = ("lake_conn_id", "datalake", "partition_key")
    ui_color = "#d9edf7"
    operator_extra_links: Collection[BaseOperatorLink] = (LakeDatalakeLink(), LakeDataLink())

    def __init__(
        self,
        *,
        lake_conn_id: str = LakeHook.default_conn_name,
        datalake: str | None = None,
        partition_key: str | Sequence[str] | None = None,
        multiple_outputs: bool = configuration.multiple_outputs(),
        **kwargs: Any,
    ) -> None:
        super().__init__(multiple_outputs=read_flag("multiple_outputs", multiple_outputs), **kwargs)
        self.lake_conn_id = lake_conn_id
        self.datalake = datalake
        self.partition_key = partition_key
        check_constants(read_required_text, lake_conn_id=lake_conn_id)
        check_constants(read_text, datalake=datalake)
        check_constants(read_names, partition_key=partition_key)

    @cached_property
    def hook(self) -> LakeHook:
        """The hook of the connection, created when the task runs."""
        return LakeHook(read_required_text("lake_conn_id", self.lake_conn_id))

    def get_datalake(self) -> "Datalake":
        """Return the datalake that this task works on, and store the task's links to it."""
        read_names("partition_key", self.partition_key)  # fail on an invalid argument before any work is done
        datalake = self.hook.get_datalake(read_text("datalake", self.datalake))
        check_outlet_lakes(self.hook, self.outlets)
        show_datalake(datalake)
        self.show_data(datalake)
        return datalake

    def show_data(self, datalake: "Datalake") -> None:
        """Store the task's link to its data: those that match the operator's ``tags`` and ``query``, if it has them."""
        show_data(
            datalake,
            read_names("tags", getattr(self, "tags", None)),
            read_text("query", getattr(self, "query", None)),
            intersect_tags=getattr(self, "intersect_tags", False),
        )

    def report(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Emit the asset events and the lineage of a task that has done its work, and return its summary."""
        self.last_summary = summary = dict(summary)
        if not self.is_read_only:
            emit_asset_events(self.hook, self.outlets, summary, self.partition_key)
        report_lineage(self.hook, summary, is_input=self.is_read_only)
        return summary
