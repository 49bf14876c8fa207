"""### Upload many photos by many tasks, then work on exactly these.

The photos of a folder or of an object storage are split into **chunks**, and each chunk is a task of its own (dynamic
task mapping), on as many workers as there are. Every task writes a **manifest**: a file of JSON lines that says what
became of each photo. Then the photos that came in, and no others, are tagged, described, given their preview as a
**projection**, and downloaded into an archive. Each of these tasks is given what the uploads returned, as it is.

It needs a connection `lake_default` of type *Lake*.
"""

from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, task

from airflow_provider_lake.ingest.files import chunk_files, find_files
from airflow_provider_lake.operators.download import DownloadDataOperator
from airflow_provider_lake.operators.projection import CreateProjectionOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.update import UpdateDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator

with DAG(
    dag_id="example_lake_mapped_upload",
    schedule=None,
    catchup=False,
    doc_md=__doc__,
    tags=["example", "lake"],
    render_template_as_native_obj=True,
    params={
        "folder": Param("photos", type="string", description="Folder, glob pattern or URL of the photos to upload"),
        "work": Param("work", type="string", description="Folder for manifests, previews and the archive"),
        "chunk_size": Param(100, type="integer", minimum=1, description="Photos in each task"),
        "tag": Param("batch", type="string", description="Tag of the photos that came in"),
    },
) as dag:

    @task
    def split(params: dict[str, Any]) -> list[list[str]]:
        """Split the photos into chunks, of 1 GiB at most."""
        return chunk_files(params["folder"], chunk_size=params["chunk_size"], max_bytes=1 << 30)

    upload = UploadDataOperator.partial(
        task_id="upload",
        fill_metadata=True,
        # Another run uploads only what is new.
        if_exists="skip",
        manifest="{{ params.work }}/manifests/{{ run_id }}.jsonl",
        max_failures=0.01,
        map_index_template="{{ task.filepaths | length }} photos",
    ).expand(filepaths=split())

    # Where nothing new came in, these are skipped.
    tag = TagDataOperator(task_id="tag", summary=upload.output, attach="{{ params.tag }}", skip_if_empty=True)

    describe = UpdateDataOperator(
        task_id="describe",
        summary=upload.output,
        metadata={"reference": "{{ run_id }}"},
        custom_metadata={"ingested_by": "{{ dag.dag_id }}"},
        skip_if_empty=True,
    )

    @task
    def make_previews(params: dict[str, Any]) -> None:
        """Make a small grey copy of each photo, under its name."""
        from PIL import Image

        folder = Path(params["work"], "previews")
        folder.mkdir(parents=True, exist_ok=True)
        for file in find_files(params["folder"]):
            with file.open() as opened, Image.open(opened) as image:
                image.draft("L", (160, 160))
                image.convert("L").resize((160, 120)).save(folder / f"{Path(file.name).stem}.png")

    show = CreateProjectionOperator(
        task_id="show",
        summary=upload.output,
        projection="grey preview",
        filepath="{{ params.work }}/previews/{stem}.png",
        skip_missing=True,
        skip_if_empty=True,
    )

    archive = DownloadDataOperator(
        task_id="archive",
        summary=upload.output,
        target="{{ params.work }}/archive",
        skip_if_empty=True,
    )

    upload >> make_previews() >> show
    [tag, describe, show] >> archive
