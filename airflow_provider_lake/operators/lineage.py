"""What OpenLineage is told about the tasks of a lake, where its provider is installed.

Only that provider calls these methods, so it is there when they run.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_lake.assets.lake import dataset_name, lake_uri
from airflow_provider_lake.hooks.lake import base_url
from airflow_provider_lake.operators.selection import as_names

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset, OutputDataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_lake.hooks.lake import LakeHook


class LakeLineage:
    """Mixed into operators: their inputs, their datalake as output with the number of its new data, and their job.

    :attr:`reported` is what the task has returned; without one, there is nothing to tell.
    """

    reported: Mapping[str, Any] | None = None
    if TYPE_CHECKING:

        @property
        def hook(self) -> LakeHook: ...  # noqa: D102 - the operator's

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> "OperatorLineage[Any, Any] | None":
        """Return inputs, outputs and job of the task that has ended."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        if not self.reported or not self.reported.get("datalake"):
            return None
        host = base_url(self.hook.connection)
        return OperatorLineage(
            inputs=list(self.lineage_inputs(host, self.reported)),
            outputs=[_output(host, self.reported)],
            run_facets=_run_facets(host, self.reported),
        )

    def lineage_inputs(self, host: str, summary: Mapping[str, Any]) -> "Iterator[Dataset]":
        """Yield what the task has read.

        :param host: base URL of the lake.
        """
        from airflow.providers.common.compat.openlineage.facet import Dataset

        namespace, name = dataset_name(lake_uri(host, summary["datalake"]))
        for prefix in as_names(summary.get("prefixes")):
            yield Dataset(namespace=namespace, name=f"{name}/objects/{prefix}")
        if "processing" in summary:
            yield Dataset(namespace=namespace, name=name)
        for path in paths_of(getattr(self, "filepaths", None)):
            storage, file_name = _file_name(path)
            yield Dataset(namespace=storage, name=file_name)


def paths_of(filepaths: str | Path | Sequence[str | Path] | None) -> list[str]:
    """Return the paths and URLs that a task was given, each without what a pattern makes of it."""
    several = [filepaths] if isinstance(filepaths, str | Path) else filepaths or ()
    return list(dict.fromkeys(str(path).split("*", 1)[0].split("?", 1)[0] for path in several if path))


def _file_name(path: str) -> tuple[str, str]:
    """Return the namespace and the name that OpenLineage knows a file or an object by."""
    parts = urlsplit(path)
    if parts.scheme in {"", "file"}:
        return "file", str(Path(parts.path or path).absolute())
    # What may stand before the bucket is the id of a connection.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path.lstrip("/") or "/"


def _output(host: str, summary: Mapping[str, Any]) -> "OutputDataset":
    from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

    namespace, name = dataset_name(lake_uri(host, summary["datalake"]))
    count = _count(summary)
    facets: dict[str, Any] = {}
    if count is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=count)
    return OutputDataset(namespace=namespace, name=name, outputFacets=facets)


def _count(summary: Mapping[str, Any]) -> int | None:
    """Return the number of data that a task has brought in, or worked on."""
    progress = summary.get("progress") or {}
    counts = (summary.get("uploaded"), progress.get("imported"), summary.get("data_count"))
    return next((count for count in counts if count is not None), None)


def _run_facets(host: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    from airflow.providers.common.compat.openlineage.facet import ExternalQueryRunFacet

    job_id = summary.get("job_id")
    return {"externalQuery": ExternalQueryRunFacet(externalQueryId=job_id, source=host)} if job_id else {}
