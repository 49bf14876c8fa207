"""Looking for files: the same rules in folders and object storages, and nothing left out in silence."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_provider_lake.exceptions import LakePermanentError
from airflow_provider_lake.files.targets import Target
from airflow_provider_lake.ingest.files import chunk_files, find_files, local_copies, search_files, source_file
from tests.ordinary_user import ordinary_user

Put = Callable[[str], object]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Put]]:
    """Return a folder of this machine or of an object storage, and what puts a file there."""
    if request.param == "folder":

        def put_file(name: str) -> None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())

        yield str(tmp_path), put_file
        return
    memory, bucket = fsspec.filesystem("memory"), f"bucket-{uuid4().hex[:8]}"
    yield f"memory://{bucket}", lambda name: memory.pipe_file(f"/{bucket}/{name}", name.encode())
    memory.rm(f"/{bucket}", recursive=True)


def _found(root: str, filepaths: str | list[str]) -> list[str]:
    return [str(file).removeprefix(root).removeprefix("/") for file in find_files(filepaths)]


@pytest.mark.parametrize("below", ["", "/", "/day", "/day/", "/day/cam", "/day/cam/"])
def test_files_of_every_depth_are_found(place: tuple[str, Put], below: str) -> None:
    """At the first level, the second, the third, below the root of a bucket and below a folder, and read."""
    root, put = place
    names = ["a.jpg", "day/b.jpg", "day/cam/c.jpg", "day/cam/deep/d.png"]
    for name in names:
        put(name)

    files = find_files(root + below)

    expected = [name for name in names if name.startswith(below.strip("/"))]
    assert [str(file) for file in files] == [f"{root}/{name}" for name in expected]
    assert [file.name for file in files] == [name.rpartition("/")[2] for name in expected]
    with local_copies(files) as copies:
        assert [copy.read_bytes() for copy in copies if isinstance(copy, Path)] == [name.encode() for name in expected]


NAMES = [
    "photo[1].jpg",
    "photo1.jpg",
    "st*r.jpg",
    "what?.jpg",
    "a b.jpg",
    "a%20b.jpg",
    "%41.jpg",
    "h#sh.jpg",
    "q?x=1&y=2.jpg",
    "data:x.jpg",
    "~backup.jpg",
    "$HOME.jpg",
    "-rf.jpg",
    "{a,b}.jpg",
    "[!a].jpg",
    "**.jpg",
    "ü ñ 漢.jpg",
    " lead.jpg",
    "back`tick'\".jpg",
    "http:photo.jpg",
    "UPPER.JPG",
    "::.jpg",
    "a::b:.jpg",
]


@pytest.mark.parametrize("folder", ["", "day/", "cam[1]/", "~/"])
def test_what_is_found_is_found_again(place: tuple[str, Put], folder: str) -> None:
    """By its folder, by its name, in chunks of chunks: a name is data, whatever a pattern or a shell makes of it."""
    root, put = place
    names = sorted(folder + name for name in NAMES)
    for name in names:
        put(name)

    assert _found(root, f"{root}/{folder}") == names
    assert [_found(root, f"{root}/{name}") for name in names] == [[name] for name in names]
    [chunk] = chunk_files(f"{root}/{folder}")
    assert chunk_files(chunk) == [chunk] == [[f"{root}/{name}" for name in names]]
    sources = [source_file(path) for path in chunk]
    assert all(source.exists() for source in sources)
    with local_copies(sources) as copies:
        assert [copy.read_bytes() for copy in copies if isinstance(copy, Path)] == [name.encode() for name in names]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photo[12].jpg", ["photo1.jpg"]),
        ("*.jpg", ["b.jpg", "photo1.jpg"]),
        ("*/c*.jpg", ["day/c.jpg"]),
        ("**/*.jpg", ["b.jpg", "day/c.jpg", "day/cam/d.jpg", "photo1.jpg"]),
        ("**/cam/*", ["day/cam/d.jpg", "day/cam/e.txt"]),
        ("day/**", ["day/c.jpg", "day/cam/d.jpg", "day/cam/e.txt"]),
        ("d?y/cam/*.jpg", ["day/cam/d.jpg"]),
        ("**/.thumbs/*", ["day/.thumbs/f.jpg"]),
        (".h*", [".hidden.jpg"]),
    ],
)
def test_patterns_mean_the_same_everywhere(place: tuple[str, Put], pattern: str, expected: list[str]) -> None:
    """Hidden names must be asked for."""
    root, put = place
    for name in (
        "b.jpg",
        "photo1.jpg",
        "day/c.jpg",
        "day/cam/d.jpg",
        "day/cam/e.txt",
        "day/.thumbs/f.jpg",
        ".hidden.jpg",
    ):
        put(name)

    assert _found(root, f"{root}/{pattern}") == expected


def test_a_folder_with_brackets_is_one_within_a_pattern(place: tuple[str, Put]) -> None:
    """A name that is there as it is written wins."""
    root, put = place
    for name in ("cam[1]/a.jpg", "cam1/b.jpg"):
        put(name)

    assert _found(root, f"{root}/cam[1]/*.jpg") == ["cam[1]/a.jpg"]
    assert _found(root, f"{root}/cam[0-9]/*.jpg") == ["cam1/b.jpg"]


def test_what_a_folder_leaves_out_is_counted(place: tuple[str, Put], caplog: pytest.LogCaptureFixture) -> None:
    """By its kind, and said in one line."""
    root, put = place
    for name in ("a.jpg", "b.txt", "deep/c.TXT", "d.xmp", "README", ".e.jpg", ".thumbs/f.jpg", ".thumbs/g.jpg"):
        put(name)

    with caplog.at_level("INFO"):
        search = search_files(root)

    assert [file.name for file in search.files] == ["a.jpg"]
    expected = {".txt": 2, ".xmp": 1, "no suffix": 1, "hidden file": 1, "hidden folder": 1}
    assert search.left_out.summary() == expected
    assert "left out 6 files: 2 .txt, " in caplog.text


def test_what_is_left_out_fits_into_a_summary(tmp_path: Path) -> None:
    """Whatever suffixes there are."""
    for number in range(50):
        (tmp_path / f"log.{number}").touch()
    (tmp_path / f"a.{'long' * 50}").touch()

    summary = search_files(tmp_path).left_out.summary()

    assert len(summary) <= 21
    assert sum(summary.values()) == 51


def test_a_file_comes_once_whatever_the_number_of_its_names(tmp_path: Path) -> None:
    """Links are followed, to files and folders, within and without; loops end; all of it as by a pattern."""
    photos, other = tmp_path / "photos", tmp_path / "other"
    for path in (photos / "real" / "a.jpg", other / "b.jpg"):
        path.parent.mkdir(parents=True)
        path.touch()
    (photos / "a first link.jpg").symlink_to(photos / "real" / "a.jpg")
    (photos / "linked").symlink_to(other)
    (photos / "linked too").symlink_to(other)
    (photos / "loop").symlink_to(".")
    (photos / "real" / "up").symlink_to("..")
    expected = ["linked/b.jpg", "real/a.jpg"]

    for filepaths in (str(photos), f"{photos}/**/*.jpg", [f"{photos}/**", str(photos)]):
        search = search_files(filepaths)
        assert sorted(str(file).removeprefix(f"{photos}/") for file in search.files) == expected
        assert search.left_out.summary()["another link to the same"] == 4


def test_dangling_links_and_what_is_no_file_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In a folder and by a pattern; the good files are found."""
    (tmp_path / "a.jpg").touch()
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")

    for filepaths in (str(tmp_path), f"{tmp_path}/*.jpg", f"{tmp_path}/**/*.jpg"):
        caplog.clear()
        search = search_files(filepaths)
        assert [file.name for file in search.files] == ["a.jpg"]
        assert search.left_out.summary() == {"dangling link": 2, "no regular file": 1}
        assert all(f"{tmp_path}/{name}.jpg" in caplog.text for name in ("gone", "circle", "pipe"))


def test_a_folder_that_cannot_be_read_is_among_the_files_with_its_problem() -> None:
    """So that it counts as failed; `find_files` refuses it, and chunks hand it on."""
    # Unlike those of pytest, a folder that other users can enter.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        locked = Path(folder, "locked")
        locked.mkdir()
        (locked / "a.jpg").touch()
        Path(folder, "b.jpg").touch()
        locked.chmod(0)

        with ordinary_user():
            search = search_files(folder)
            assert chunk_files(folder) == [[f"{folder}/b.jpg", str(locked)]]
            with pytest.raises(PermissionError, match=f"{locked}: .*denied"):
                find_files(folder)
            for filepaths in (f"{folder}/**/*.jpg", f"{folder}/locked/*.jpg", str(locked), f"{locked}/a.jpg"):
                assert "denied" in str(search_files(filepaths).files[-1].error)

        assert [(file.path, bool(file.error)) for file in search.files] == [
            (f"{folder}/b.jpg", False),
            (str(locked), True),
        ]
        assert search.left_out.summary() == {"unreadable folder": 1}


@pytest.mark.parametrize("nothing", ["", " ", None, [""], ["a.jpg", ""], [None], Path(), [Path()]])
def test_empty_is_never_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: str | list[str]
) -> None:
    """It is refused, and the argument named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").touch()

    with pytest.raises(LakePermanentError, match="filepaths is"):
        find_files(nothing)


@pytest.mark.parametrize("url", ["s3://", "s3:///day", "s3://conn@/day", "gs:///", "memory://"])
def test_a_url_without_a_bucket_is_refused(url: str) -> None:
    """Else its first folder would be taken for one, or all buckets be meant."""
    with pytest.raises(LakePermanentError, match="names no bucket"):
        find_files(url)


def test_a_url_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    """To read from and to write to, with the URL."""
    with pytest.raises(LakePermanentError, match=r"'nope://b/a\.jpg' cannot be opened"):
        find_files([str(tmp_path), "nope://b/a.jpg"])
    with pytest.raises(LakePermanentError, match="'nope://b' cannot be opened"):
        Target.at("nope://b")


def test_names_that_look_like_homes_are_names_where_they_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And homes where they do not."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    (home / "photos" / "h.jpg").touch()
    monkeypatch.setenv("HOME", str(home))
    for name in ("~backup.jpg", "~nobody-has-this-name.jpg"):
        (tmp_path / name).touch()

    assert [str(file) for file in find_files(["~backup.jpg", "~/photos"])] == [
        "~backup.jpg",
        f"{home}/photos/h.jpg",
    ]
    assert [file.path for file in find_files(".")][-1] == "~nobody-has-this-name.jpg"
    with pytest.raises(FileNotFoundError, match="~not there"):
        find_files("~not there.jpg")


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    """Percent signs in it stand for letters, unless a file has that very name."""
    for name in ("100%41.jpg", "100A.jpg", "B.jpg", "a b#c?.jpg"):
        (tmp_path / name).touch()

    for written, name in {
        "100%41.jpg": "100%41.jpg",
        "100A.jpg": "100A.jpg",
        "%42.jpg": "B.jpg",
        "a%20b%23c%3F.jpg": "a b#c?.jpg",
        "a b#c?.jpg": "a b#c?.jpg",
    }.items():
        for host in ("", "localhost"):
            assert [str(file) for file in find_files(f"file://{host}{tmp_path}/{written}")] == [f"{tmp_path}/{name}"]
    assert len(find_files(f"file://{tmp_path}")) == 4


def test_objects_are_not_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing tells what they are and how large: of a folder, of a pattern, and for chunks by bytes."""
    memory = fsspec.filesystem("memory")
    for number in range(50):
        memory.pipe_file(f"/counted/day/{number}.jpg", bytes(10))
    asked: list[str] = []
    info = type(memory).info

    def counted(fs: Any, path: str, **options: Any) -> Any:
        asked.append(path)
        return info(fs, path, **options)

    monkeypatch.setattr(type(memory), "info", counted)
    # What this file system inherits asks on, unlike that of object storages.
    monkeypatch.setattr(type(memory), "find", lambda fs, path, **_: {each["name"]: each for each in fs.ls(path)})

    chunks = chunk_files("memory://counted/day", max_bytes=100)
    found = find_files("memory://counted/day/*.jpg")

    assert [len(chunk) for chunk in chunks] == [10] * 5
    assert [file.size for file in found] == [10] * 50
    assert len(asked) <= 4
    monkeypatch.undo()
    memory.rm("/counted", recursive=True)


def test_names_that_are_no_utf8_can_be_handed_on(tmp_path: Path) -> None:
    """As text that Airflow can store, and that means the same file to whoever reads it next."""
    names = [b"caf\xe9.jpg", b"caf\\xe9.jpg", "café.jpg".encode(), b"100%E9 \xff.jpg"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)

    [chunk] = chunk_files(tmp_path)

    assert "".join(chunk).encode()
    assert chunk_files(chunk) == [chunk]
    assert sorted(Path(str(file)).read_bytes() for file in find_files(chunk)) == sorted(names)


@pytest.mark.parametrize("name", ["a\0.jpg", "x" * 300 + ".jpg", "b\ud800.jpg"])
def test_a_name_that_no_file_can_have_fails_by_itself(tmp_path: Path, name: str) -> None:
    """Whatever Python raises for it."""
    (tmp_path / "a.jpg").touch()

    search = search_files([str(tmp_path / name), str(tmp_path / "a.jpg")])

    assert [file.error is None for file in search.files] == [False, True]


PARTS = st.text(st.sampled_from("ab[]!*?{}~$%#&=+:;@\\'\" .-_é漢\t"), min_size=1, max_size=8).filter(
    lambda part: not part.startswith(".")
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PARTS, min_size=1, max_size=3), min_size=1, max_size=8))
def test_whatever_it_is_called_a_file_is_found_and_found_again(paths: list[list[str]]) -> None:
    """In a folder and in a bucket alike, at every depth, by its folder and by its own name."""
    names = sorted({"/".join(path) + ".jpg" for path in paths}, key=lambda name: name.split("/"))
    # A file of the pattern's own name would be meant first.
    assume("**/*.jpg" not in names)
    memory = fsspec.filesystem("memory")
    with TemporaryDirectory() as folder:
        bucket = f"bucket-{uuid4().hex}"
        for name in names:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            memory.pipe_file(f"/{bucket}/{name}", b"")

        for root in (folder, f"memory://{bucket}"):
            expected = [f"{root}/{name}" for name in names]
            assert [file.path for file in find_files(root)] == expected
            assert chunk_files(expected) == [expected]
            assert [file.path for file in find_files(f"{root}/**/*.jpg")] == expected
    memory.rm(f"/{bucket}", recursive=True)


def test_an_object_that_may_not_be_seen_fails_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is among the files with its error, as a file of this machine is; the others are found."""
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/guarded/a.jpg", b"a")
    info = type(memory).info

    def guarded(fs: Any, path: str, **options: Any) -> Any:
        if path.endswith("secret.jpg"):
            raise PermissionError(errno.EACCES, "Forbidden")
        return info(fs, path, **options)

    monkeypatch.setattr(type(memory), "info", guarded)

    files = search_files(["memory://guarded/secret.jpg", "memory://guarded/a.jpg"]).files

    assert [(str(file), file.error) for file in files] == [
        ("memory://guarded/secret.jpg", "cannot be read: Forbidden"),
        ("memory://guarded/a.jpg", None),
    ]
