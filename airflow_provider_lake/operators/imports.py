"""Import what already lies in the lake's bucket."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_lake.arguments import check_constants, read_choice, read_names, read_text
from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.operators.file_upload import CHECK_FILES, CheckFiles
from airflow_provider_lake.operators.jobs import LakeJobOperator

if TYPE_CHECKING:
    from airflow_provider_lake.client import Datalake, Job


class ImportBucketObjectsOperator(LakeJobOperator):
    """Have the lake register its bucket's objects as data, by a job.

    Only objects of known image and video types are registered; one that is data already stays as it is.

    Returns ``{"job_id", "status", "progress", "datalake", "datalake_id", "prefixes", "tags", "source"}``.

    :param prefixes: beginnings of object names; every object that has one of them is imported (templated).
    :param tags: names of data tags that each imported data gets, made when missing (templated).
    :param source: name of the data source of each imported data, made when missing (templated).
    :param check_files: ``"decode"``: an embedded lake decodes all of each object; one that is cut or broken is not
        imported, and named among the failures. ``"header"``: it reads headers only.
    """

    template_fields: Sequence[str] = (*LakeJobOperator.template_fields, "prefixes", "tags", "source")

    def __init__(
        self,
        *,
        prefixes: str | Sequence[str],
        tags: str | Sequence[str] | None = None,
        source: str | None = None,
        check_files: CheckFiles = "header",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
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
        return job, {
            "datalake": datalake.name,
            "datalake_id": str(datalake.id),
            "prefixes": prefixes,
            "tags": tags,
            "source": source,
        }
