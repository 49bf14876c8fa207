"""### Ingest photos into a lake, from a folder and from its bucket.

Two ways in, side by side. The photos of a **folder** are uploaded, one task per camera, so that each camera becomes
the *source* of its photos; their EXIF becomes metadata. What already lies in the lake's **bucket** below a prefix is
imported by a job of the lake; waiting for it holds no worker. Then a processing of the lake looks at everything that
came in and tags it by what it measures, and the last task says what the lake now holds.

It needs a connection `lake_default` of type *Lake*. Run it with other parameters from the *Trigger* form, or with
`airflow dags test example_lake_ingestion --conf '{"folder": "/data/photos"}'`.
"""

from ast import literal_eval
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.ingest.files import find_files
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.upload import UploadDataOperator
from airflow_provider_lake.sensors.job import JobSensor


def _source_name(camera: str) -> str:
    """Name the source of a camera's photos so that it stays as it is when Airflow renders the arguments of tasks."""
    # Whatever stands in a photo, it is no template.
    name = camera.replace("{", "(").replace("}", ")")
    try:
        value = literal_eval(name)
    except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return name
    # Native rendering turns 1e5 into a number, and None into nothing; a 5300 becomes its text again.
    return name if type(value) is int and str(value) == name else f"camera {name}"


with DAG(
    dag_id="example_lake_ingestion",
    schedule=None,
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5)},
    doc_md=__doc__,
    tags=["example", "lake"],
    # Parameters arrive in the operators as what they are: a list stays a list.
    render_template_as_native_obj=True,
    params={
        "folder": Param("photos", type="string", description="Folder, glob pattern or URL of the photos to upload"),
        "prefix": Param("cameras/", type="string", description="Beginning of the object names to import"),
        "tags": Param(["ingested"], type="array", items={"type": "string"}, description="Tags of what comes in"),
    },
) as dag:

    @task
    def group_by_camera(params: dict[str, Any]) -> list[dict[str, Any]]:
        """One upload for each camera: its photos, and its name as their source."""
        from airflow_provider_lake.media.images import read_camera

        photos = defaultdict(list)
        for file in find_files(params["folder"]):
            try:
                with file.open() as opened:
                    camera = read_camera(opened)
            except OSError as error:
                # The upload tries again, counts it if need be, and goes on with the others.
                print(f"{file}: {error}")
                camera = None
            photos[_source_name(camera or "unknown camera")].append(str(file))
        return [{"source": camera, "filepaths": files} for camera, files in sorted(photos.items())]

    upload = UploadDataOperator.partial(
        task_id="upload",
        tags="{{ params.tags }}",
        fill_metadata=True,
        # Whatever is no image is named in the log and counted in the report, and holds up nothing else.
        max_failures=1.0,
        # More than the name alone: a model called 5300 would render to a number.
        map_index_template="camera {{ task.source }}",
        # Another run uploads only what is new.
        if_exists="skip",
    ).expand_kwargs(group_by_camera())

    start_import = ImportBucketObjectsOperator(
        task_id="start_import",
        prefixes="{{ params.prefix }}",
        tags="{{ params.tags }}",
        source="bucket",
        wait_for_completion=False,
    )

    wait_for_import = JobSensor(
        task_id="wait_for_import",
        job_id=start_import.output,
        deferrable=True,
        poke_interval=2,
        timeout=3600,
    )

    start_tagging = LaunchProcessingOperator(
        task_id="start_tagging",
        processing="data auto tagging",
        tags="{{ params.tags }}",
        wait_for_completion=False,
    )

    wait_for_tagging = JobSensor(
        task_id="wait_for_tagging",
        job_id=start_tagging.output,
        deferrable=True,
        poke_interval=2,
        timeout=3600,
    )

    @task
    def report(uploads: list[dict[str, Any]], imports: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        """Say what the lake holds of what came in."""
        data = LakeHook().get_datalake().list_data(tags=params["tags"])
        holds = {
            "data": len(data),
            "uploaded": sum(upload["uploaded"] for upload in uploads),
            "imported": sum(job["progress"]["imported"] for job in imports["jobs"]),
            "failed": sum(upload["failed"] for upload in uploads)
            + sum(job["progress"]["failed"] for job in imports["jobs"]),
            "sources": dict(Counter(each.data_source.name for each in data if each.data_source)),
            "tags": dict(Counter(tag.name for each in data for tag in each.tags)),
            "with_metadata": sum(1 for each in data if each.metadata),
        }
        print(holds)
        return holds

    [upload, wait_for_import] >> start_tagging
    wait_for_tagging >> report(uploads=upload.output, imports=wait_for_import.output)
