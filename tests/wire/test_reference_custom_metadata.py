"""The platform's published client keeps the custom metadata schema of the embedded lake."""

from pathlib import Path

import pytest
from PIL import Image

from tests.lake_process import LakeProcess
from tests.wire.published_client import connect, picsellia, upload

SCHEMA = {
    "camera/side": {"input_type": "STRING", "required": True, "choices": ["front", "rear"]},
    "score": {"input_type": "FLOAT", "required": False, "min": 0.0, "max": 1.0},
    "day": {"input_type": "DATETIME", "required": False, "min": "2026-01-01T00:00:00Z"},
    "lots": {"input_type": "INTEGER", "required": False, "choices": [1, 2, 3], "allow_multiple": True},
    "checked": {"input_type": "BOOLEAN", "required": False, "display_name": "Seen by a human"},
}
RIGHT = {"camera/side": "rear", "score": 0.5, "lots": [1, 3], "checked": True, "day": "2026-05-04T07:30:00Z"}


@pytest.fixture
def datalake(own_lake: LakeProcess) -> picsellia.Datalake:
    """Return a datalake of one's own."""
    return connect(own_lake).get_datalake()


def test_a_schema_is_kept(datalake: picsellia.Datalake) -> None:
    """Made and changed at once or key by key; what is as it was is left alone."""
    assert datalake.get_custom_metadata_schema() == {
        "custom_metadata_schema": None,
        "allow_extra_custom_metadata": True,
        "keys": {},
    }

    report = datalake.update_custom_metadata_schema(SCHEMA)
    assert sorted(report["created"]) == sorted(SCHEMA)
    assert sorted(datalake.update_custom_metadata_schema(SCHEMA)["unchanged"]) == sorted(SCHEMA)

    datalake.upsert_custom_metadata_schema_key("score", {"input_type": "FLOAT", "required": False, "max": 10.0})
    datalake.delete_custom_metadata_schema_key("camera/side")
    report = datalake.update_custom_metadata_schema({"score": SCHEMA["score"]}, delete_missing_keys=True)
    assert report["updated"] == ["score"]
    assert sorted(report["deleted"]) == ["checked", "day", "lots"]
    assert list(datalake.get_custom_metadata_schema()["custom_metadata_schema"]) == ["score"]


def test_the_schema_holds(datalake: picsellia.Datalake, tmp_path: Path) -> None:
    """What does not fit it is refused, and said so; what fits is kept."""
    path = tmp_path / "a.png"
    Image.new("RGB", (6, 4)).save(path)
    datalake.update_custom_metadata_schema(SCHEMA)
    datalake.set_allow_extra_custom_metadata(False)
    assert datalake.get_custom_metadata_schema()["allow_extra_custom_metadata"] is False

    (data,) = upload(datalake, [path], custom_metadata=RIGHT)
    assert data.custom_metadata == RIGHT
    for wrong, named in (({"score": 2.0}, "score"), ({"camera/side": "top"}, "side"), ({"lens": 7}, "lens")):
        with pytest.raises(picsellia.exceptions.BadRequestError, match=named):
            data.update_custom_metadata({**RIGHT, **wrong})
    assert data.sync()["custom_metadata"] == RIGHT
