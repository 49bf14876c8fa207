"""### Bring in what is new in a folder, every day.

Cameras leave their photos in a folder, and nobody takes them away. Every day the photos that the lake does not have
from this source under their names are uploaded (`if_exists="skip"`); the lake then tags these by what it measures.
Where nothing is new, nothing is done. A run may be repeated, and may fail in the middle: no photo comes in twice, and
none is taken for another of its name, for cameras start their counters again. What the lake could not process once is
skipped with its reason.

It needs a connection `lake_default` of type *Lake*.
"""

from datetime import datetime

from airflow.sdk import DAG, Param

from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.operators.tag import TagDataOperator
from airflow_provider_lake.operators.upload import UploadDataOperator

with DAG(
    dag_id="example_lake_incremental",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it in its own time zone
    catchup=False,
    # Two at a time could both find a photo missing.
    max_active_runs=1,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["example", "lake"],
    render_template_as_native_obj=True,
    params={
        "folder": Param("photos", type="string", description="Folder or URL where the photos are left"),
        "manifests": Param("manifests", type="string", description="Folder for the manifests"),
        "source": Param("gate", type="string", description="Name of the cameras' data source"),
    },
) as dag:
    upload = UploadDataOperator(
        task_id="upload",
        filepaths="{{ params.folder }}",
        source="{{ params.source }}",
        fill_metadata=True,
        if_exists="skip",
        manifest="{{ params.manifests }}/{{ run_id }}.jsonl",
        retries=2,
    )

    tag = TagDataOperator(
        task_id="tag", summary=upload.output, attach="{{ params.source }} {{ run_id }}", skip_if_empty=True
    )

    measure = LaunchProcessingOperator(
        task_id="measure", processing="data auto tagging", summary=upload.output, deferrable=True
    )

    tag >> measure
