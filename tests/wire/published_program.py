"""A processing as a user of the platform writes it: with the published client, and nothing that knows this lake.

It tags each image with its dominant channel and adds a thumbnail of it. Parameters: ``side`` of the thumbnails in
pixels; ``fail`` to report a failure instead of success.
"""

import os
from pathlib import Path

import requests
from picsellia import Client
from picsellia.sdk.job import Job
from picsellia.types.enums import JobRunStatus
from PIL import Image, ImageStat


def main() -> None:
    """Do what the job asks for."""
    given = dict(os.environ)
    client = Client(given["api_token"], organization_id=given["organization_id"], host=given["host"])
    job = client.get_job_by_id(given["job_id"])
    job.update_job_run_with_status(JobRunStatus.RUNNING)
    context = job.sync()["processing_job"]
    parameters = context["parameters"]
    tag_all(client, job, context, parameters["side"])
    job.update_job_run_with_status(JobRunStatus.FAILED if parameters.get("fail") else JobRunStatus.SUCCEEDED)


def tag_all(client: Client, job: Job, context: dict[str, str], side: int) -> None:
    """Tag the data and add their thumbnails; what happens goes into the job's log, and into a file of it."""
    datalake = client.get_datalake(id=context["target_id"])
    data_ids = requests.get(context["payload_presigned_url"], timeout=60).json()["data_ids"]
    lines = []
    for data in datalake.list_data(ids=data_ids):
        data.download("images")
        with Image.open(Path("images", data.filename)) as image:
            means = ImageStat.Stat(image.convert("RGB")).mean
            image.thumbnail((side, side))
            image.save(f"small-{data.filename}")
        channel = ("red", "green", "blue")[means.index(max(means))]
        data.add_tags(datalake.get_or_create_data_tag(channel))
        datalake.upload_data(f"small-{data.filename}", tags=["thumbnail"], wait_for_unprocessable_data=False)
        lines.append(f"{data.filename}: {channel}")
        job.send_logging(lines[-1], "tagging")
    job.send_logging(["all", "done"], "end", final=True)
    Path("tagging.log").write_text("\n".join(lines))
    job.store_logging_file("tagging.log")


if __name__ == "__main__":
    main()
