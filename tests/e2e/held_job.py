"""A processing whose job goes on until the test ends it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from tests.lake_process import LakeProcess

_PROGRAM = """
import os, sys, time
if len(sys.argv) == 2:
    print("waiting to be ended", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
sys.exit(int(open(sys.argv[1]).read()))
"""


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A processing, and a photo to run it on.

    :param processing: its name.
    :param tag: of the photo.
    :param end_file: once this file is there, jobs end with the exit code that it holds.
    """

    processing: str
    tag: str
    end_file: Path

    def end(self, exit_code: int = 0) -> None:
        """Let the jobs end."""
        written = self.end_file.with_suffix(".written")
        written.write_text(str(exit_code))
        written.rename(self.end_file)


def hold_job(lake: LakeProcess, folder: Path, name: str, *, is_silent: bool = False) -> HeldJob:
    """Register the processing, and upload the photo.

    :param name: of the processing and the tag.
    :param is_silent: whether its jobs stay QUEUED until they end, so that a lake which was killed starts them again.
    """
    held = HeldJob(name, name, folder / "end")
    command = [sys.executable, "-c", _PROGRAM, str(held.end_file), *(["silent"] if is_silent else [])]
    assert main(["processing", "register", "--data-dir", str(lake.data_dir), name, "--", *command]) == 0
    lake.client().get_datalake().upload_data(make_photos(folder, 1), tags=[name])
    return held
