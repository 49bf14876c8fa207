"""### Start when photos arrive in a lake.

The asset *gate photos* is watched: the triggerer looks for data that carry the tag `gate`, wherever they come from, and
each batch of them that has arrived starts this DAG. The run knows which data started it, and has a processing of the
lake look at exactly those.

It needs a connection `lake_default` of type *Lake*. Upload photos with the tag `gate` to see it start; what was there
before the DAG was first parsed does not count.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import DAG, AssetWatcher, task

from airflow_provider_lake.assets.lake import arrived_data_ids, lake_asset
from airflow_provider_lake.hooks.lake import LakeHook
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.triggers.data import LakeDataTrigger

gate_photos = lake_asset(
    "http://127.0.0.1:8765",
    "default",
    tag="gate",
    watchers=[
        AssetWatcher(
            name="gate_photos",
            # Photos that come in together start one run: nothing more has come for 5 seconds.
            trigger=LakeDataTrigger(tags="gate", poll_interval=2, quiet_period=5, max_wait=60),
        )
    ],
)

with DAG(
    dag_id="example_lake_watcher",
    schedule=[gate_photos],
    catchup=False,
    # A retry finds the job that is going on.
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5)},
    doc_md=__doc__,
    tags=["example", "lake"],
    render_template_as_native_obj=True,
) as dag:

    @task
    def find_arrived(triggering_asset_events: Any = None) -> list[str]:
        """Return the ids of the data that started this run; a run that somebody started by hand has none."""
        ids = arrived_data_ids(triggering_asset_events[gate_photos])
        if not ids:
            raise AirflowSkipException("no photos started this run")
        return ids

    arrived = find_arrived()

    tag_photos = LaunchProcessingOperator(
        task_id="tag_photos",
        processing="data auto tagging",
        data_ids=arrived,
        deferrable=True,
        poll_interval=1,
    )

    @task
    def report(ids: list[str]) -> dict[str, list[str]]:
        """Say which tags each photo has now."""
        data = LakeHook().get_datalake().list_data(ids=ids)
        tags = {each.filename: sorted(tag.name for tag in each.tags) for each in data}
        print(tags)
        return tags

    tag_photos >> report(arrived)
