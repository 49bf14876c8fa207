"""The ingestion example names sources after cameras, whatever stands in the photos."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.nativetypes import NativeEnvironment

from tests import odd_exif
from tests.odd_exif import short, text
from tests.odd_files import encode

EXAMPLE = Path(__file__).resolve().parents[3] / "example_dags" / "example_lake_ingestion.py"


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """Load the DAG file."""
    return runpy.run_path(str(EXAMPLE))


@given(
    camera=st.text(min_size=1) | st.sampled_from(["5300", "1e5", "None", "True", "{{ 1/0 }}", "{% x", "(1, 2)", "'a'"])
)
def test_a_camera_keeps_its_name_when_arguments_are_rendered(example: dict[str, Any], camera: str) -> None:
    """What Airflow makes of it is the same text, or the whole number that is written so."""
    name = example["_source_name"](camera)
    # Jinja reads line ends in its own way.
    rendered = NativeEnvironment(keep_trailing_newline=True).from_string(name).render()

    assert type(rendered) in {str, int}
    assert str(rendered).split() == name.split()


def test_photos_are_grouped_by_cameras_whatever_they_are(example: dict[str, Any], tmp_path: Path) -> None:
    """Odd names, half a PNG, a text: each file has its place, and the upload says what is wrong with it."""
    cameras = {
        "nul": {odd_exif.MAKE: text(b"ION\0"), odd_exif.MODEL: text(b"ION230\0F\0")},
        "text": {odd_exif.MODEL: text(b"5300\0")},
        "number": {odd_exif.MODEL: short(5300)},
        "template": {odd_exif.MODEL: text(b"{{ 1/0 }}\0")},
        "none": {},
    }
    for name, main in cameras.items():
        (tmp_path / f"{name}.jpg").write_bytes(encode("JPEG", exif=odd_exif.exif(main)))
    png = encode("PNG", size=(900, 700))
    (tmp_path / "half.png").write_bytes(png[: len(png) // 2])
    (tmp_path / "words.jpg").write_bytes(b"this is no image")

    grouped = example["dag"].get_task("group_by_camera").python_callable({"folder": str(tmp_path)})

    assert {each["source"]: sorted(Path(path).name for path in each["filepaths"]) for each in grouped} == {
        "ION ION230": ["nul.jpg"],
        "5300": ["number.jpg", "text.jpg"],
        "(( 1/0 ))": ["template.jpg"],
        "unknown camera": ["half.png", "none.jpg", "words.jpg"],
    }
