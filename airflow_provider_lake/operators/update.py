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
    """Change metadata, custom metadata, source and tags of the selected data, a hundred at a time.

    Which data are selected, the arguments of :class:`DataSelectingOperator` say. Data that are as they should be stay
    untouched, so that a retry does no harm. What two tasks change of the same data at the same time, one of them loses.

    Returns ``{"datalake", "data_count", "updated"}``; ``data_count`` counts those that are untouched too.

    :param metadata: values under the platform's own keys, such as ``{"weather": "rain"}`` (templated); None as a value
        takes its key out.
    :param custom_metadata: values under keys of your own, likewise (templated).
    :param replace_metadata: let data have only what is given here, where otherwise their other keys stay.
    :param source: name of the data source that the data get, made when missing (templated).
    :param add_tags: names of data tags that the data get as well, made when missing (templated).
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
    """What data are to be like; None: as they are.

    :param replace_metadata: they are to have no other metadata than these.
    """

    metadata: Mapping[str, Any] | None
    custom_metadata: Mapping[str, Any] | None
    source: str | None
    tags: Sequence[str]
    replace_metadata: bool

    def change_for(self, data: "Data") -> dict[str, Any]:
        """Return what a data lacks, as the lake takes it; empty: it is as it should be."""
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
    """Return values without keys that say nothing."""
    return {key: value for key, value in (values or {}).items() if value is not None}
