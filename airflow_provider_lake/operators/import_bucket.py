"""Import objects that are already in the lake's bucket."""

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
    """Register objects of the lake's bucket as data, by a job of the lake.

    Only objects of known image and video types are registered; objects that are already data are not changed.

    Returns ``{"job_id", "status", "progress", "datalake", "datalake_id", "prefixes", "tags", "source"}``, and once the
    job has been waited for ``"found"``, ``"imported"``, ``"skipped"`` (data already), ``"failed"``, ``"failures":
    [{"path", "reason"}]`` (the first 20) and ``"left_out": {reason: count}``. ``found`` is ``{prefix: objects below
    it}``, of any kind; ``left_out`` counts objects that are neither images nor videos, by suffix, and folder markers.
    All of these are None if the lake does not report them, as the platform's API does not; ``max_failures`` and
    ``skip_if_empty`` then have no effect. Otherwise they take effect whenever the task waits for its job, in every
    mode.

    :param prefixes: prefixes of object names; every object with one of them is imported (templated).
    :param tags: names of data tags that each imported data gets, created if missing (templated).
    :param source: name of the data source of each imported data, created if missing (templated).
    :param check_files: ``"decode"``: an embedded lake decodes each object completely; a truncated or corrupt object is
        not imported, and is reported among the failures. ``"header"``: it reads headers only.
    :param max_failures: number of failed objects that the task tolerates, or as a float from 0 to 1 their share of all.
        If more fail, the task fails; the other objects stay imported.
    :param skip_if_empty: skip the task if there is no image or video below the prefixes; otherwise it fails.
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
        """Return the counts of found and imported objects; raise if nothing was found or too many objects failed.

        :raises AirflowSkipException: nothing was found, and ``skip_if_empty`` is set.
        :raises LakePermanentError: nothing was found, or more objects failed than ``max_failures``: another try would
            only find the same job again.
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
