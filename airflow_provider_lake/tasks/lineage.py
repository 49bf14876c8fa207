"""OpenLineage metadata of the tasks of a lake, for Airflow's OpenLineage provider.

Only that provider calls these methods, so it is installed when they run.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.arguments import read_names, read_paths
from airflow_provider_lake.assets.lake import dataset_name, lake_uri
from airflow_provider_lake.files.locations import is_remote, local_path
from airflow_provider_lake.hooks.connection import asset_host, base_url, without_credentials
from airflow_provider_lake.text.printable import to_printable

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset, OutputDataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_lake.hooks.lake import LakeHook


_PATTERN = re.compile(r"[*?\[]")


class LakeLineage:
    """Mixin of operators: reports their inputs, their datalake as output with the count of new data, and their job.

    :attr:`last_summary` is the summary that the task has returned; without one, nothing is reported. Operators that
    have :attr:`is_read_only` set report the datalake as their input, and their ``target`` as output.
    """

    last_summary: Mapping[str, Any] | None = None
    is_read_only: ClassVar[bool] = False
    if TYPE_CHECKING:

        @property
        def hook(self) -> LakeHook: ...  # noqa: D102 - the operator's

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> "OperatorLineage[Any, Any] | None":
        """Return inputs, outputs and job of the task that has ended."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        if not self.last_summary or not self.last_summary.get("datalake"):
            return None
        host = without_credentials(base_url(self.hook.connection))
        return OperatorLineage(
            inputs=list(self.lineage_inputs(self._lake_name(self.last_summary), self.last_summary)),
            outputs=list(self.lineage_outputs(self._lake_name(self.last_summary), self.last_summary)),
            run_facets=_run_facets(host, self.last_summary),
        )

    def _lake_name(self, summary: Mapping[str, Any]) -> tuple[str, str]:
        organization = self.hook.client.organization_name
        return dataset_name(lake_uri(asset_host(self.hook.connection), summary["datalake"], organization=organization))

    def lineage_inputs(self, lake: tuple[str, str], summary: Mapping[str, Any]) -> "Iterator[Dataset]":
        """Yield the datasets that the task has read.

        :param lake: namespace and name of the datalake.
        """
        from airflow.providers.common.compat.openlineage.facet import Dataset

        namespace, name = lake
        for prefix in read_names("prefixes", summary.get("prefixes")):
            yield Dataset(namespace=namespace, name=f"{name}/objects/{prefix}")
        if "processing" in summary or self.is_read_only:
            yield Dataset(namespace=namespace, name=name)
        for storage, file_name in file_datasets(getattr(self, "filepaths", None)):
            yield Dataset(namespace=storage, name=file_name)

    def lineage_outputs(self, lake: tuple[str, str], summary: Mapping[str, Any]) -> "Iterator[OutputDataset]":
        """Yield the datasets that the task has written.

        :param lake: namespace and name of the datalake.
        """
        if not self.is_read_only:
            yield _output(lake, summary)
            return
        for written in file_datasets(getattr(self, "target", None)):
            yield _output(written, summary)


def file_datasets(filepaths: str | Path | Sequence[str | Path] | None) -> list[tuple[str, str]]:
    """Return the OpenLineage namespaces and names of files, folders and objects; for a pattern, of its folder."""
    paths = [] if filepaths is None else read_paths("filepaths", filepaths)
    return list(dict.fromkeys(map(_file_name, paths)))


def _file_name(path: str) -> tuple[str, str]:
    if not is_remote(path):
        return "file", to_printable(str(Path(_without_pattern(local_path(path))).absolute()))
    scheme, separator, location = path.partition("://")
    bucket, _, name = _without_pattern(location).partition("/")
    # The part before the bucket, if any, is the id of an Airflow connection.
    return f"{scheme}{separator}{bucket.rpartition('@')[2]}", name or "/"


def _without_pattern(path: str) -> str:
    """Return the folder of a pattern's matches; an existing file whose name looks like a pattern is returned as is."""
    if os.path.lexists(path) or not _PATTERN.search(path):
        return path
    return _PATTERN.split(path, maxsplit=1)[0].rpartition("/")[0]


def _output(dataset: tuple[str, str], summary: Mapping[str, Any]) -> "OutputDataset":
    from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

    namespace, name = dataset
    count = _count(summary)
    facets: dict[str, Any] = {}
    if count is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=count)
    return OutputDataset(namespace=namespace, name=name, outputFacets=facets)


def _count(summary: Mapping[str, Any]) -> int | None:
    """Return the number of data that a task has created, downloaded or processed."""
    progress = summary.get("progress") or {}
    counts = (summary.get("uploaded"), progress.get("imported"), summary.get("downloaded"), summary.get("data_count"))
    return next((count for count in counts if count is not None), None)


def _run_facets(host: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    from airflow.providers.common.compat.openlineage.facet import ExternalQueryRunFacet

    job_id = summary.get("job_id")
    return {"externalQuery": ExternalQueryRunFacet(externalQueryId=job_id, source=host)} if job_id else {}
