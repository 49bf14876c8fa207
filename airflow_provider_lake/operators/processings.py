"""Launch processings on data of the lake."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.operators.jobs import LakeJobOperator
from airflow_provider_lake.operators.selection import as_names, select_data

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake, Job


class LaunchProcessingOperator(LakeJobOperator):
    """Have the lake run a processing on the selected data, by a job.

    The data are those that match all of ``data_ids``, ``tags`` and ``query`` that are given; at least one must be. A
    selection that matches nothing fails the task.

    Returns ``{"job_id", "status", "progress", "datalake", "processing", "data_count"}``.

    :param processing: name of a processing of the organization (templated).
    :param data_ids: ids of data (templated); an empty list means no data, and never all.
    :param tags: names of data tags; data that have one of them (templated).
    :param intersect_tags: take only data that have all of ``tags``.
    :param query: selection in the lake's query language, such as ``data_source.name = "cam-1"`` (templated).
    :param parameters: parameters of this run; None: the processing's own (templated).
    :param cpu: processors to run on; None: the processing's own number.
    :param gpu: graphics processors to run on; None: the processing's own number.
    """

    template_fields: Sequence[str] = (
        *LakeJobOperator.template_fields,
        "processing",
        "data_ids",
        "tags",
        "query",
        "parameters",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json"}

    def __init__(
        self,
        *,
        processing: str,
        data_ids: str | Sequence[str] | None = None,
        tags: str | Sequence[str] | None = None,
        intersect_tags: bool = False,
        query: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        cpu: int | None = None,
        gpu: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.processing = processing
        self.data_ids = data_ids
        self.tags = tags
        self.intersect_tags = intersect_tags
        self.query = query
        self.parameters = parameters
        self.cpu = cpu
        self.gpu = gpu

    def submit_job(self, datalake: "Datalake") -> "tuple[Job, dict[str, Any]]":
        """Select the data and start the processing."""
        processing = self.hook.client.get_processing(self.processing)
        data = select_data(
            datalake,
            ids=None if self.data_ids is None else as_names(self.data_ids),
            tags=as_names(self.tags),
            intersect_tags=self.intersect_tags,
            query=self.query,
        )
        parameters = None if self.parameters is None else dict(self.parameters)
        job = datalake.launch_processing(processing, data, parameters, self.cpu, self.gpu)
        self.log.info("Job %s runs %s on %d data of datalake %s", job.id, processing.name, len(data), datalake.name)
        return job, {"datalake": datalake.name, "processing": processing.name, "data_count": len(data)}
