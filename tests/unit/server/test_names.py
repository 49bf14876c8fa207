"""Which names the lake takes."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.server.blobs.names import (
    MAX_FILENAME_LENGTH,
    MAX_OBJECT_NAME_BYTES,
    MAX_SEGMENT_BYTES,
    check_filename,
    check_object_name,
    check_prefix,
    is_upload_name,
    upload_name,
)
from airflow_provider_lake.server.errors import BadRequestError


@pytest.mark.parametrize("name", ["a", "a/b.jpg", "ü/ 日本.jpg", "...", "a..b", "-", "x" * MAX_SEGMENT_BYTES])
def test_relative_names_are_taken_as_they_are(name: str) -> None:
    """Whatever their letters."""
    assert check_object_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "a\0", "a\nb", "a\x7f", "\ud800"],
        *["x" * (MAX_SEGMENT_BYTES + 1), "ü" * MAX_SEGMENT_BYTES, "a/" * (MAX_OBJECT_NAME_BYTES // 2) + "b"],
    ],
)
def test_other_names_are_refused(name: str) -> None:
    """Absolute, dotted, empty, unprintable or long ones."""
    with pytest.raises(BadRequestError):
        check_object_name(name)


@given(st.text())
def test_no_name_that_is_taken_leads_out_of_a_folder(name: str) -> None:
    """Below a folder it stays below it, and is the same name again."""
    try:
        taken = check_object_name(name)
    except BadRequestError:
        return
    path = PurePosixPath("/folder") / taken
    assert path.is_relative_to("/folder")
    assert ".." not in path.parts
    assert path.relative_to("/folder").as_posix() == name


@given(st.text(), st.integers(min_value=0))
def test_every_beginning_of_a_name_is_a_prefix(name: str, length: int) -> None:
    """Also one that ends within a segment, behind a slash, or at once."""
    try:
        check_object_name(name)
    except BadRequestError:
        return
    assert check_prefix(name[:length]) == name[:length]


@pytest.mark.parametrize("prefix", ["/", "../a", "a//", "./", "a\\", "x" * 2000])
def test_what_no_name_begins_with_is_no_prefix(prefix: str) -> None:
    """It would find nothing, or something else than meant."""
    with pytest.raises(BadRequestError):
        check_prefix(prefix)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "\ud800", "x" * (MAX_FILENAME_LENGTH + 1)])
def test_a_file_name_is_one_segment(name: str) -> None:
    """Neither none nor several, and not too long."""
    with pytest.raises(BadRequestError):
        check_filename(name)


@pytest.mark.parametrize("filename", ["n" * 251 + ".jpg", "é" * 125 + ".jpg", "a." + "x" * 253])
def test_a_long_file_name_is_cut_in_the_name_of_its_object(filename: str) -> None:
    """So that both fit into the longest name that file systems take; the suffix stays, for it says the type."""
    name = upload_name("data", filename)

    assert len(name.removeprefix("data/").encode()) in {254, 255}
    assert is_upload_name(name)
    assert name.endswith(".jpg") == filename.endswith(".jpg")


def test_a_long_name_is_shown_shortened() -> None:
    """The message stays readable."""
    with pytest.raises(BadRequestError) as caught:
        check_object_name("x" * 10_000)
    assert len(caught.value.message) < 200
