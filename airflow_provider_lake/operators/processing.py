"""Launch processings on data of the lake."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_lake.arguments import (
    check_constants,
    read_mapping,
    read_optional_count,
    read_required_text,
)
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.operators.base_job import LakeJobOperator
from airflow_provider_lake.tasks.summaries import ProcessingDetails

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake, Job


class LaunchProcessingOperator(DataSelectingOperator, LakeJobOperator):
    """Launch a processing on the selected data, by a job of the lake.

    The arguments of :class:`DataSelectingOperator` select the data; those of :class:`LakeJobOperator` define how the
    task waits for the job.

    Returns ``{"job_id", "status", "progress", "datalake", "processing", "data_count", "left_out": {reason: count}}``.
    ``left_out`` counts the selected data that are not passed to the processing, because the lake has not finished them.

    :param processing: name of a processing of the organization (templated).
    :param parameters: parameters of this run; None: the processing's own (templated).
    :param cpu: number of processors; None: the processing's own number.
    :param gpu: number of graphics processors; None: the processing's own number.
    """

    only_done_by_default = True
    template_fields: Sequence[str] = (
        *dict.fromkeys((*DataSelectingOperator.template_fields, *LakeJobOperator.template_fields)),
        "processing",
        "parameters",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json"}

    def __init__(
        self,
        *,
        processing: str,
        parameters: Mapping[str, Any] | None = None,
        cpu: int | None = None,
        gpu: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.processing = processing
        self.parameters = parameters
        self.cpu = read_optional_count("cpu", cpu)
        self.gpu = read_optional_count("gpu", gpu)
        check_constants(read_required_text, processing=processing)
        check_constants(read_mapping, parameters=parameters)

    def submit_job(self, datalake: "Datalake", key: str | None) -> "tuple[Job, dict[str, Any]]":
        """Select the data and launch the processing."""
        parameters = read_mapping("parameters", self.parameters)
        processing = self.hook.client.get_processing(read_required_text("processing", self.processing))
        data = [each.id for each in self.select_data(datalake)]
        job = datalake.launch_processing(processing, data, parameters, self.cpu, self.gpu, idempotency_key=key)
        self.log.info("Job %s runs %s on %d data of datalake %s", job.id, processing.name, len(data), datalake.name)
        details: ProcessingDetails = {
            "datalake": datalake.name,
            "processing": processing.name,
            "data_count": len(data),
            "left_out": dict(self.left_out),
        }
        return job, dict(details)
