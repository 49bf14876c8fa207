"""Import what already lies in the lake's bucket."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_lake.arguments import check_constants, read_choice, read_flag, read_names, read_text
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.ingest.upload import CHECK_FILES, CheckFiles
from airflow_provider_lake.operators.base_job import LakeJobOperator
from airflow_provider_lake.tasks.failures import check_failure_count, check_max_failures
from airflow_provider_lake.tasks.summaries import Failure, ImportDetails, ImportResult

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake, Job


class ImportBucketObjectsOperator(LakeJobOperator):
    """Have the lake register its bucket's objects as data, by a job.

    Only objects of known image and video types are registered; one that is data already stays as it is.

    Returns ``{"job_id", "status", "progress", "datalake", "datalake_id", "prefixes", "tags", "source"}``, and once the
    job has been waited for ``"found"``, ``"imported"``, ``"skipped"`` (data already), ``"failed"``, ``"failures":
    [{"path", "reason"}]`` (the first 20) and ``"left_out": {reason: count}``. ``found`` is ``{prefix: objects below
    it}``, of any kind; ``left_out`` counts those by suffix that are neither images nor videos, and the markers of
    folders. All of these are None where the lake does not tell them, as the platform's wire does not; then neither
    ``max_failures`` nor ``skip_if_empty`` decides anything. They do where the task waits for its job, in every mode.

    :param prefixes: beginnings of object names; every object that has one of them is imported (templated).
    :param tags: names of data tags that each imported data gets, made when missing (templated).
    :param source: name of the data source of each imported data, made when missing (templated).
    :param check_files: ``"decode"``: an embedded lake decodes all of each object; one that is cut or broken is not
        imported, and named among the failures. ``"header"``: it reads headers only.
    :param max_failures: failed objects that are still fine: a number, or as a float from 0 to 1 a share of all. More
        fail the task; the other objects stay imported.
    :param skip_if_empty: skip the task where no image or video is below the prefixes; otherwise it fails.
    """

    template_fields: Sequence[str] = (*LakeJobOperator.template_fields, "prefixes", "tags", "source")

    def __init__(
        self,
        *,
        prefixes: str | Sequence[str],
        tags: str | Sequence[str] | None = None,
        source: str | None = None,
        check_files: CheckFiles = "header",
        max_failures: float = 0,
        skip_if_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_failures = check_max_failures(max_failures)
        self.skip_if_empty = read_flag("skip_if_empty", skip_if_empty)
        self.prefixes = prefixes
        self.tags = tags
        self.source = source
        check_constants(read_names, prefixes=prefixes, tags=tags)
        check_constants(read_text, source=source)
        self.check_files = read_choice("check_files", check_files, CHECK_FILES)

    def submit_job(self, datalake: "Datalake", key: str | None) -> "tuple[Job, dict[str, Any]]":
        """Start the import."""
        prefixes, tags = read_names("prefixes", self.prefixes), read_names("tags", self.tags)
        source = read_text("source", self.source)
        if not prefixes:
            raise LakePermanentError("no prefix given: the whole bucket is never meant by accident")
        job = datalake.import_bucket_objects(
            prefixes, tags=tags, source=source, idempotency_key=key, check_files=self.check_files
        )
        self.log.info("Job %s imports %s into datalake %s", job.id, ", ".join(prefixes), datalake.name)
        details: ImportDetails = {
            "datalake": datalake.name,
            "datalake_id": str(datalake.id),
            "prefixes": prefixes,
            "tags": tags,
            "source": source,
        }
        return job, dict(details)

    def check_result(self, job: "Job") -> dict[str, Any]:
        """Return what was found and what became of it; nothing found, or too many that failed, is refused.

        :raises AirflowSkipException: nothing was found, and ``skip_if_empty`` is set.
        :raises LakePermanentError: nothing was found, or more objects failed than ``max_failures``: with another try
            the same job would be found again.
        """
        progress = job.progress or {}
        failures: list[Failure] = [
            {"path": str(each.get("object_name")), "reason": str(each.get("reason"))}
            for each in progress.get("failures") or ()
        ]
        result: ImportResult = {
            "found": progress.get("found"),
            "imported": progress.get("imported"),
            "skipped": progress.get("skipped"),
            "failed": progress.get("failed"),
            "left_out": progress.get("left_out"),
            "failures": failures if progress else None,
        }
        for reason, count in (result["left_out"] or {}).items():
            self.log.warning("Left out %d objects: %s", count, reason)
        for each in failures:
            self.log.error("%s: %s", each["path"], each["reason"])
        total, failed = progress.get("total"), result["failed"]
        if total == 0:
            self._fail_if_empty(result["left_out"] or {})
        if isinstance(total, int) and isinstance(failed, int):
            check_failure_count(self.max_failures, failed, total, failures, LakePermanentError)
        return dict(result)

    def _fail_if_empty(self, left_out: Mapping[str, int]) -> None:
        others = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        prefixes = ", ".join(map(repr, read_names("prefixes", self.prefixes)))
        sentence = f"no image or video is below {prefixes}" + (f"; left out: {others}" if others else "")
        if self.skip_if_empty:
            raise AirflowSkipException(sentence)
        raise LakePermanentError(sentence)
