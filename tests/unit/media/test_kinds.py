"""What names of files mean: the same on every machine."""

import mimetypes
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.media.kinds import UNKNOWN, content_type_of, data_type_of, kind_of, suffix_of, suffixes


@pytest.mark.parametrize(
    ("filename", "content_type", "kind"),
    [
        ("a.jpg", "image/jpeg", "IMAGE"),
        ("a.JPEG", "image/jpeg", "IMAGE"),
        ("a.jfif", "image/jpeg", "IMAGE"),
        ("a.b.png", "image/png", "IMAGE"),
        ("a.tif", "image/tiff", "IMAGE"),
        ("a.webp", "image/webp", "IMAGE"),
        ("a.heic", "image/heic", "IMAGE"),
        ("a.HEIF", "image/heif", "IMAGE"),
        ("a.avif", "image/avif", "IMAGE"),
        ("a.jp2", "image/jp2", "IMAGE"),
        ("a.mp4", "video/mp4", "VIDEO"),
        ("a.MOV", "video/quicktime", "VIDEO"),
        ("a.mkv", "video/x-matroska", "VIDEO"),
        ("a.m4v", "video/x-m4v", "VIDEO"),
        ("a.wmv", "video/x-ms-wmv", "VIDEO"),
        ("a.m2ts", "video/mp2t", "VIDEO"),
        ("a.MTS", "video/mp2t", "VIDEO"),
        ("a.3gp", "video/3gpp", "VIDEO"),
        ("data:x.jpg", "image/jpeg", "IMAGE"),
        ("http://x/a.jpg?b=c.png", "image/png", "IMAGE"),
        ("folder.jpg/a.mp4", "video/mp4", "VIDEO"),
        ("a.txt", "text/plain", None),
        ("a.xmp", "application/rdf+xml", None),
        ("a.svg", "image/svg+xml", None),
        ("a.unheard-of", UNKNOWN, None),
        ("a", UNKNOWN, None),
        ("jpg", UNKNOWN, None),
        (".jpg", UNKNOWN, None),
        ("a.", UNKNOWN, None),
        ("", UNKNOWN, None),
    ],
)
def test_the_name_gives_content_type_and_kind(filename: str, content_type: str, kind: str | None) -> None:
    """By its suffix, in upper or lower case; what is neither image nor video is none."""
    assert (content_type_of(filename), kind_of(filename)) == (content_type, kind)
    assert data_type_of(filename) == (kind or "IMAGE")


def test_no_machine_has_a_table_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `mimetypes` has learnt of a machine changes nothing."""
    for suffix in ("mkv", "jfif", "txt"):
        monkeypatch.setitem(mimetypes.types_map, f".{suffix}", "application/x-of-this-machine")

    assert [kind_of(f"a.{suffix}") for suffix in ("mkv", "jfif", "txt")] == ["VIDEO", "IMAGE", None]


def test_the_table_loads_nothing() -> None:
    """Operators ask it where a DAG is parsed."""
    code = (
        "import sys; import airflow_provider_lake.media.kinds; print({'PIL', 'av', 'mimetypes'} & sys.modules.keys())"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "set()"


def test_no_suffix_has_two_kinds() -> None:
    """They are in lower case, and listed for the documentation."""
    images, videos = suffixes("IMAGE"), suffixes("VIDEO")

    assert not set(images) & set(videos)
    assert all(suffix == suffix_of(f"a.{suffix.upper()}") for suffix in (*images, *videos))


@given(st.text(max_size=60))
def test_any_name_means_something(name: str) -> None:
    """Folders before it and its case do not matter."""
    assert content_type_of(f"folder.png/{name}") == content_type_of(name) or "/" not in name or name.endswith("/")
    assert kind_of(f"{name}x.JPG") == "IMAGE"


def test_the_table_in_the_docs_names_every_suffix() -> None:
    """Under its content type, in the table of its kind."""
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    images, _, rest = page.partition("## Videos")
    tables = {"IMAGE": images, "VIDEO": rest.partition("## Without an extra")[0]}

    assert {kind: _first_column(table) for kind, table in tables.items()} == {
        "IMAGE": set(suffixes("IMAGE")),
        "VIDEO": set(suffixes("VIDEO")),
    }


def _first_column(table: str) -> set[str]:
    """Return what is quoted there."""
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in cell.split("`")[1::2]}
