"""Under which names downloads are saved: a filename comes from the lake, and means nothing but a name."""

import os
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.files.targets import Target
from airflow_provider_lake.operators.download import NameBy, _named

FOLDER = Path("/lake/downloads")


def _paths(name_by: NameBy, *filenames: str) -> list[Path]:
    data = [SimpleNamespace(id=uuid4(), filename=filename) for filename in filenames]
    return [Path(target.path) for _, target in _named(iter(data), Target.at(FOLDER), name_by)]  # type: ignore[arg-type]  # as far as they are asked


@pytest.mark.parametrize("name_by", ["filename", "id"])
@pytest.mark.parametrize(
    "filename",
    ["../../etc/passwd", "/etc/passwd", "..", ".", "a/../../b.jpg", "a\\..\\b.jpg", "", "~/a.jpg", "folder/"],
)
def test_no_filename_leads_out_of_the_folder(filename: str, name_by: NameBy) -> None:
    """Nor into another one, nor names the folder itself."""
    (path,) = _paths(name_by, filename)

    assert path.parent == FOLDER
    assert path.name not in {"", ".", ".."}


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300), max_size=6))
def test_every_data_gets_a_file_of_its_own(filenames: list[str]) -> None:
    """Whatever their names are, and also where upper and lower case are alike."""
    for name_by in ("filename", "id"):
        paths = _paths(name_by, *filenames)

        assert {path.parent for path in paths} <= {FOLDER}
        assert len({str(path).casefold() for path in paths}) == len(filenames)


@given(st.text(st.characters(), min_size=200, max_size=400), st.text(st.characters(), max_size=300))
def test_every_name_fits_into_a_file_system(stem: str, suffix: str) -> None:
    """In bytes, whatever the lake has for a filename, and can be given to one."""
    filename = f"{stem}.{suffix}"
    for name_by in ("filename", "id"):
        for path in _paths(name_by, filename, filename):
            assert len(os.fsencode(path.name)) <= 255
            assert "\0" not in path.name


def test_a_name_that_is_too_long_keeps_its_suffix() -> None:
    """The same data get the same name again, and one of several their ids."""
    filename = "ü" * 250 + ".jpeg"

    first, second = _paths("filename", filename, filename)

    assert first.name == "ü" * 125 + ".jpeg"
    assert second.suffix == ".jpeg"
    assert _paths("filename", filename) == [first]


def test_a_file_named_by_id_keeps_its_suffix() -> None:
    """So that programs know what it is."""
    (path,) = _paths("id", "summer/IMG 1.jpeg")

    assert path.suffix == ".jpeg"
    assert UUID(path.stem)
