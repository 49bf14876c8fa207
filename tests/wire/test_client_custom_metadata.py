"""The custom metadata schema of a real lake, and what it does to data."""

from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    BadRequestError,
    CustomMetadataSchemaUpdateError,
    Data,
    Datalake,
    NotFoundError,
    UploadError,
)
from tests.lake_process import LakeProcess

SCHEMA = {
    "camera/side": {"input_type": "STRING", "required": True, "choices": ["front", "rear"]},
    "score": {"input_type": "FLOAT", "required": False, "min": 0.0, "max": 1.0},
    "lots": {"input_type": "INTEGER", "required": False, "choices": [1, 2, 3], "allow_multiple": True},
    "checked": {"input_type": "BOOLEAN", "required": False, "display_name": "Seen by a human"},
}
RIGHT = {"camera/side": "rear", "score": 0.5, "lots": [1, 3], "checked": True}


@pytest.fixture
def datalake(own_lake: LakeProcess) -> Datalake:
    """Return a datalake of one's own."""
    return own_lake.client().get_datalake()


def _keys(datalake: Datalake) -> set[str]:
    return set(datalake.get_custom_metadata_schema()["custom_metadata_schema"] or ())


def test_a_schema_is_kept_key_by_key(datalake: Datalake) -> None:
    """Described, described anew, taken out; a name with a slash is one name."""
    assert datalake.get_custom_metadata_schema()["custom_metadata_schema"] is None
    for key, description in SCHEMA.items():
        assert datalake.upsert_custom_metadata_schema_key(key, description).items() >= description.items()
    assert _keys(datalake) == set(SCHEMA)
    datalake.upsert_custom_metadata_schema_key("score", {"input_type": "FLOAT", "required": True})
    datalake.delete_custom_metadata_schema_key("camera/side")
    schema = datalake.get_custom_metadata_schema()["custom_metadata_schema"]
    assert set(schema) == {"score", "lots", "checked"}
    assert schema["score"]["required"] is True
    assert "max" not in schema["score"]
    with pytest.raises(NotFoundError):
        datalake.delete_custom_metadata_schema_key("camera/side")


def test_a_schema_is_kept_at_once(datalake: Datalake) -> None:
    """Only what differs is sent; keys that are not named stay, unless they are to go."""
    created = datalake.update_custom_metadata_schema(SCHEMA)
    assert sorted(created["created"]) == sorted(SCHEMA)
    assert sorted(datalake.update_custom_metadata_schema(SCHEMA)["unchanged"]) == sorted(SCHEMA)
    changed = {"score": SCHEMA["score"] | {"max": 10.0}, "lots": SCHEMA["lots"]}
    assert datalake.update_custom_metadata_schema(changed) == {
        "created": [],
        "updated": ["score"],
        "deleted": [],
        "unchanged": ["lots"],
        "errors": {},
    }
    assert _keys(datalake) == set(SCHEMA)
    report = datalake.update_custom_metadata_schema(changed, delete_missing_keys=True)
    assert sorted(report["deleted"]) == ["camera/side", "checked"]
    assert _keys(datalake) == {"score", "lots"}


def test_one_wrong_key_keeps_no_others_out(datalake: Datalake) -> None:
    """All are tried; the error names those that failed, with the lake's words."""
    wanted = {"wrong": {"input_type": "COLOUR", "required": False}, "score": SCHEMA["score"]}
    with pytest.raises(CustomMetadataSchemaUpdateError, match=r"'wrong': .*input_type") as caught:
        datalake.update_custom_metadata_schema(wanted)
    assert isinstance(caught.value.errors["wrong"], BadRequestError)
    assert _keys(datalake) == {"score"}

    report = datalake.update_custom_metadata_schema(wanted, raise_on_error=False)
    assert report["unchanged"] == ["score"]
    assert list(report["errors"]) == ["wrong"]


def test_the_schema_holds(datalake: Datalake, tmp_path: Path) -> None:
    """What does not fit is refused with a word about it; what fits is kept, and found again."""
    path = tmp_path / "a.png"
    Image.new("RGB", (6, 4)).save(path)
    datalake.update_custom_metadata_schema(SCHEMA)
    datalake.set_allow_extra_custom_metadata(False)
    assert datalake.get_custom_metadata_schema()["allow_extra_custom_metadata"] is False

    data = datalake.upload_data(path, custom_metadata=RIGHT)
    assert isinstance(data, Data)
    for wrong, named in (({"score": 2.0}, "score"), ({"camera/side": "top"}, "side"), ({"lens": 7}, "lens")):
        with pytest.raises(BadRequestError, match=named):
            data.update_custom_metadata({**RIGHT, **wrong})
        with pytest.raises(UploadError, match=named):
            datalake.upload_data(path, custom_metadata={**RIGHT, **wrong})
    assert data.refresh().custom_metadata == RIGHT
    assert datalake.list_data(custom_metadata={"score": 0.5}).ids == [data.id]
