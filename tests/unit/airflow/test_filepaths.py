"""From `filepaths` to files."""

import mimetypes
from pathlib import Path

import pytest

from airflow_provider_lake.ingest.files import chunk_files, find_files, local_copies


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make a folder of photos with other files around them."""
    for name in (
        "b.jpg",
        "a.JPG",
        "deep/c.png",
        "deep/clip.mp4",
        "notes.txt",
        ".hidden.jpg",
        ".thumbs/d.jpg",
        "e.webp",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def _names(folder: Path, *filepaths: str | Path) -> list[str]:
    return [Path(str(file)).relative_to(folder).as_posix() for file in find_files(list(filepaths))]


def test_a_folder_means_its_images_and_videos(photos: Path) -> None:
    """Anywhere below it, in the order of their names; neither hidden nor other files."""
    assert _names(photos, photos) == ["a.JPG", "b.jpg", "deep/c.png", "deep/clip.mp4", "e.webp"]


def test_a_type_is_that_of_the_upload(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's own table says of it: what would go up as an image is one."""
    monkeypatch.setitem(mimetypes.types_map, ".webp", "application/x-webp")

    assert _names(photos, photos)[-1] == "e.webp"


def test_a_pattern_and_a_name_mean_what_they_say(photos: Path) -> None:
    """Whatever the type of the file; a file found twice counts once, where it was found first."""
    assert _names(photos, photos / "notes.txt", f"{photos}/*.jpg") == ["notes.txt", "b.jpg"]
    assert _names(photos, f"{photos}/**/*.png") == ["deep/c.png"]
    assert _names(photos, photos / "b.jpg", photos) == ["b.jpg", "a.JPG", "deep/c.png", "deep/clip.mp4", "e.webp"]


def test_a_name_with_brackets_is_a_file_where_it_exists(photos: Path) -> None:
    """Cameras and people put brackets into names."""
    (photos / "shot [1].jpg").touch()

    assert _names(photos, photos / "shot [1].jpg") == ["shot [1].jpg"]


def test_file_urls_are_local_files(photos: Path) -> None:
    """With and without a pattern."""
    assert _names(photos, f"file://{photos}/b.jpg") == ["b.jpg"]
    assert _names(photos, f"file://localhost{photos}/deep%2F*") == ["deep/c.png", "deep/clip.mp4"]


@pytest.mark.parametrize("missing", ["missing.jpg", "*.heic", "empty"])
def test_what_names_no_file_is_named(photos: Path, missing: str) -> None:
    """A missing file, a pattern without a match and a folder without images are errors that name it."""
    (photos / "empty").mkdir()

    with pytest.raises(FileNotFoundError, match=missing.replace("*", r"\*")):
        find_files([photos / "b.jpg", photos / missing])


def test_no_filepaths_at_all_are_an_error() -> None:
    """An upstream task that found nothing is not a success."""
    with pytest.raises(FileNotFoundError, match="no files given"):
        find_files([])


def test_local_files_are_used_where_they_are(photos: Path) -> None:
    """No copy is made of a file that is here already."""
    files = find_files(photos / "b.jpg")

    with local_copies(files) as copies:
        assert copies == [photos / "b.jpg"]


def test_files_are_split_into_chunks_by_number(photos: Path) -> None:
    """In their order, each once, as the strings that a mapped task takes."""
    chunks = chunk_files([photos, photos / "b.jpg"], chunk_size=2)

    names = [[Path(path).name for path in chunk] for chunk in chunks]
    assert names == [["a.JPG", "b.jpg"], ["c.png", "clip.mp4"], ["e.webp"]]
    assert all(isinstance(path, str) for chunk in chunks for path in chunk)


def test_files_are_split_into_chunks_by_bytes(tmp_path: Path) -> None:
    """A chunk has as many as fit; one that is too large for any has a chunk of its own."""
    for name, size in {"a": 3, "b": 2, "c": 9, "d": 5, "e": 1}.items():
        (tmp_path / f"{name}.jpg").write_bytes(bytes(size))

    chunks = chunk_files(tmp_path, max_bytes=5)

    assert [[Path(path).stem for path in chunk] for chunk in chunks] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_no_files_make_no_chunks_where_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """So that Airflow skips the mapped task; what is missing is named in either case."""
    assert chunk_files([tmp_path, tmp_path / "missing.jpg"], missing_ok=True) == []
    assert f"no file at {tmp_path}: " in caplog.text
    assert f"no file at {tmp_path}/missing.jpg: " in caplog.text
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        chunk_files(tmp_path)


@pytest.mark.parametrize("limits", [{"chunk_size": 0}, {"max_bytes": 0}])
def test_a_chunk_takes_at_least_one(tmp_path: Path, limits: dict[str, int]) -> None:
    """Less is a slip."""
    with pytest.raises(ValueError, match="at least 1"):
        chunk_files(tmp_path, **limits)  # type: ignore[arg-type]  # both are numbers
