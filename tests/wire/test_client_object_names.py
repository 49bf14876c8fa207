"""Uploads under names that were chosen before, against a real lake."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import MultiData, UsageError
from tests.lake_process import LakeProcess


def test_an_upload_under_the_same_names_again_registers_nothing_twice(lake: LakeProcess, tmp_path: Path) -> None:
    """The data that are there are returned, in the order of the files."""
    datalake, paths = lake.client().get_datalake(), make_photos(tmp_path, 5)
    names = datalake.reserve_object_names([path.name for path in paths])

    first = datalake.upload_data(paths[:3], tags=["reserved"], object_names=names[:3])
    second = datalake.upload_data(paths, tags=["reserved"], object_names=names)

    assert len(set(names)) == 5
    assert isinstance(first, MultiData)
    assert isinstance(second, MultiData)
    assert [data.object_name for data in second] == names
    assert [data.filename for data in second] == [path.name for path in paths]
    assert second[:3] == first
    assert len(datalake.list_data(tags=["reserved"])) == 5


def test_names_for_another_number_of_files_are_refused(lake: LakeProcess, tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match="object_names is given for 1 files, but there are 2"):
        lake.client().get_datalake().upload_data(make_photos(tmp_path, 2), object_names=["one"])
