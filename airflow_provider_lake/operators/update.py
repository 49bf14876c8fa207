"""Update what a datalake knows about its data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.arguments import (
    check_constants,
    read_flag,
    read_mapping,
    read_names,
    read_text,
)
from airflow_provider_lake.exceptions import permanent_errors
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.tasks.summaries import UpdateSummary

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Data


class UpdateDataOperator(DataSelectingOperator):
    """Change metadata, custom metadata, source and tags of the selected data, in batches of a hundred.

    The arguments of :class:`DataSelectingOperator` select the data. Data that already have the requested values are not
    changed, so that the task can safely be retried. If two tasks change the same data at the same time, the changes of
    one of them are lost.

    Returns ``{"datalake", "data_count", "updated"}``; ``data_count`` includes data that needed no change.

    :param metadata: values under the platform's own keys, such as ``{"weather": "rain"}`` (templated); the value None
        removes a key.
    :param custom_metadata: values under custom keys, likewise (templated).
    :param replace_metadata: replace all metadata with the given values; otherwise other keys are kept.
    :param source: name of the data source to set, created if missing (templated).
    :param add_tags: names of data tags to add, created if missing (templated).
    """

    template_fields: Sequence[str] = (
        *DataSelectingOperator.template_fields,
        "metadata",
        "custom_metadata",
        "source",
        "add_tags",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"metadata": "json", "custom_metadata": "json"}

    def __init__(
        self,
        *,
        metadata: Mapping[str, Any] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        replace_metadata: bool = False,
        source: str | None = None,
        add_tags: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metadata = metadata
        self.custom_metadata = custom_metadata
        self.replace_metadata = read_flag("replace_metadata", replace_metadata)
        self.source = source
        self.add_tags = add_tags
        check_constants(read_mapping, metadata=metadata, custom_metadata=custom_metadata)
        check_constants(read_text, source=source)
        check_constants(read_names, add_tags=add_tags)

    def execute(self, context: "Context") -> dict[str, Any]:
        """Change the data, a page at a time."""
        from airflow_provider_lake.client.resources.data import BULK_SIZE
        from airflow_provider_lake.client.transport.paging import chunks

        count = updated = 0
        with permanent_errors():
            target = self._read_changes()
            datalake = self.get_datalake()
            for page in chunks(self.select_data(datalake), BULK_SIZE):
                changes = {data.id: change for data in page if (change := target.change_for(data))}
                if changes:
                    datalake.update_multiple_data(changes)
                count, updated = count + len(page), updated + len(changes)
                self.log.info("%d data looked at, %d of them updated", count, updated)
        summary: UpdateSummary = {"datalake": datalake.name, "data_count": count, "updated": updated}
        return self.report(summary)

    def _read_changes(self) -> "_Changes":
        from airflow_provider_lake.client import UsageError

        wanted = _Changes(
            read_mapping("metadata", self.metadata),
            read_mapping("custom_metadata", self.custom_metadata),
            read_text("source", self.source),
            read_names("add_tags", self.add_tags),
            replace_metadata=self.replace_metadata,
        )
        if wanted.metadata is None and wanted.custom_metadata is None and not wanted.source and not wanted.tags:
            raise UsageError("nothing to change given: say metadata, custom_metadata, source or add_tags")
        return wanted


@dataclass(frozen=True, slots=True)
class _Changes:
    """The requested state of data; None: no change.

    :param replace_metadata: whether the given metadata replace all others.
    """

    metadata: Mapping[str, Any] | None
    custom_metadata: Mapping[str, Any] | None
    source: str | None
    tags: Sequence[str]
    replace_metadata: bool

    def change_for(self, data: "Data") -> dict[str, Any]:
        """Return the changes that a data needs, as the body of an update; empty: none."""
        change: dict[str, Any] = {}
        for name in ("metadata", "custom_metadata"):
            given, present = getattr(self, name), _drop_unset(getattr(data, name))
            if given is not None:
                wanted = _drop_unset(given if self.replace_metadata else {**present, **given})
                change |= {name: wanted} if wanted != present else {}
        if self.source and (data.data_source is None or data.data_source.name != self.source):
            change["data_source"] = self.source
        missing = [name for name in self.tags if name not in {tag.name for tag in data.tags}]
        return change | ({"tags": missing} if missing else {})


def _drop_unset(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the values without keys whose value is None."""
    return {key: value for key, value in (values or {}).items() if value is not None}
