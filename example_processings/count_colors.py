"""A processing: count the colors of each image, and say so in the job's log and in the image's tags.

Register it beside the lake, then launch it as "count colors" from a DAG, the client or the platform's own one:

    .venv/bin/lake processing register "count colors" -- python3 example_processings/count_colors.py

The lake runs it with four environment variables that say where it is and which job this is; the job says which data,
and with which parameters. ``many`` (1,000) is the number of colors from which an image is tagged ``colorful``.
"""

import os
import sys
from io import BytesIO

from PIL import Image

from airflow_provider_lake.client import Client, Data, LakeError

MEASURED_PIXELS = 256


def count_colors(content: bytes) -> int:
    """Return how many colors an image has, seen small."""
    with Image.open(BytesIO(content)) as image:
        image.thumbnail((MEASURED_PIXELS, MEASURED_PIXELS))
        return len(image.convert("RGB").getcolors(MEASURED_PIXELS**2) or [])


def main() -> int:
    """Run the job that the environment names; the exit code says whether it succeeded."""
    organization = os.environ["organization_id"]
    with Client(os.environ["api_token"], organization_id=organization, host=os.environ["host"]) as client:
        job = client.get_job_by_id(os.environ["job_id"])
        task = job.get_processing_task()
        many = int(task.parameters.get("many", 1000))
        datalake = client.get_datalake(id=task.datalake_id)
        counted, colorful = 0, list[Data]()
        for data in datalake.iter_data(ids=task.data_ids):
            try:
                colors = count_colors(data.read())
            except (LakeError, OSError, ValueError) as error:
                print(f"{data.filename}: {error}", file=sys.stderr, flush=True)
                continue
            counted += 1
            print(f"{data.filename}: {colors} colors", flush=True)
            if colors >= many:
                colorful.append(data)
        if colorful:
            datalake.get_or_create_data_tag("colorful").attach_on(colorful)
        print(f"counted {counted} of {len(task.data_ids)}, {len(colorful)} colorful")
    return 0 if counted else 1


if __name__ == "__main__":
    sys.exit(main())
