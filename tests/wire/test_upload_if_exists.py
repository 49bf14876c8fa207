"""Uploads that leave out what the lake has, against a real lake."""

import hashlib
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data
from airflow_provider_lake.exceptions import LakePermanentError, LakeUploadError
from airflow_provider_lake.ingest import upload as file_upload
from airflow_provider_lake.ingest.known_data import by_content
from airflow_provider_lake.ingest.upload import IfExists
from airflow_provider_lake.operators.upload import UploadDataOperator
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.task_data import upload


@pytest.fixture
def tag(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a tag of the test's own, in a connected lake."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    return f"existing-{uuid4().hex[:8]}"


@pytest.fixture
def photos(tmp_path: Path, tag: str) -> list[Path]:
    """Make photos that no other test has, neither by name nor by content."""
    paths = make_photos(tmp_path / "photos", 4, seed=int(tag[-8:], 16))
    return [path.rename(path.with_name(f"{tag}-{path.name}")) for path in paths]


def _data(lake: LakeProcess, tag: str) -> list[Data]:
    return list(lake.client().get_datalake().list_data(tags=[tag]))


def test_every_file_is_uploaded_by_default(lake: LakeProcess, tag: str, photos: list[Path]) -> None:
    """Twice where the task runs twice."""
    for _ in range(2):
        upload(photos, tags=[tag])

    assert len(_data(lake, tag)) == 8


@pytest.mark.parametrize("if_exists", ["skip", "skip_content"])
def test_what_the_lake_has_is_left_out(lake: LakeProcess, tag: str, photos: list[Path], if_exists: str) -> None:
    """Only what is new comes in, and only that is named; what was there keeps its tags."""
    first = upload(photos[:3], tags=[tag], if_exists=if_exists)
    second = upload(photos, tags=[f"{tag}-2"], if_exists=if_exists)

    assert (first["uploaded"], first["skipped"]) == (3, 0)
    assert (second["uploaded"], second["skipped"], second["failed"]) == (1, 3, 0)
    [new] = _data(lake, f"{tag}-2")
    assert (new.filename, [str(new.id)]) == (photos[3].name, second["data_ids"])
    assert len(_data(lake, tag)) == 3


def test_by_content_the_name_does_not_matter(lake: LakeProcess, tag: str, photos: list[Path]) -> None:
    """A renamed file is left out, a changed one of a known name comes in; the hash is in the metadata."""
    upload(photos[:2], tags=[tag], if_exists="skip_content", metadata={"reference": "r"})
    renamed = photos[0].rename(photos[0].with_name("renamed.jpg"))
    photos[1].write_bytes(photos[2].read_bytes())

    summary = upload([renamed, photos[1]], tags=[tag], if_exists="skip_content")

    assert (summary["uploaded"], summary["skipped"]) == (1, 1)
    data = _data(lake, tag)
    assert sorted(each.filename for each in data) == sorted([photos[0].name, photos[1].name, photos[1].name])
    for each in data:
        sha256 = hashlib.sha256(each.read()).hexdigest()
        assert (each.metadata or {})["custom_id"] == f"sha256:{sha256}"


def test_by_filename_another_source_is_another_file(lake: LakeProcess, tag: str, photos: list[Path]) -> None:
    """Cameras give the same names to different photos."""
    one = upload(photos[:1], tags=[tag], source=f"{tag} one", if_exists="skip")
    other = upload(photos[:1], tags=[tag], source=f"{tag} other", if_exists="skip")
    again = upload(photos[:1], tags=[tag], source=f"{tag} one", if_exists="skip")

    assert (one["uploaded"], other["uploaded"], again["skipped"]) == (1, 1, 1)
    assert len(_data(lake, tag)) == 2


@pytest.mark.parametrize(("if_exists", "uploaded"), [("upload", 6), ("skip", 5), ("skip_content", 5)])
def test_the_same_twice_in_one_task_comes_in_once(
    lake: LakeProcess, tag: str, photos: list[Path], tmp_path: Path, if_exists: str, uploaded: int
) -> None:
    """Beside the photos, a copy of one and another photo of the name of one, in other folders."""
    copy, namesake = tmp_path / "a" / photos[0].name, tmp_path / "b" / photos[1].name
    for path in (copy, namesake):
        path.parent.mkdir()
    shutil.copy(photos[0], copy)
    namesake.write_bytes(photos[1].read_bytes() + b"more")

    summary = upload([*photos, copy, namesake], tags=[tag], if_exists=if_exists)

    assert (summary["uploaded"], summary["skipped"]) == (uploaded, 6 - uploaded)
    assert len(_data(lake, tag)) == uploaded


@pytest.mark.parametrize("if_exists", ["skip", "skip_content"])
def test_what_the_lake_could_not_process_is_known_to_be_bad(
    lake: LakeProcess, tag: str, photos: list[Path], if_exists: str
) -> None:
    """It fails once; from then on it is skipped with the lake's reason, and the lake does not get it again."""
    bad = [path.with_suffix(f".{number}.jpg") for number, path in enumerate(photos)]
    for path in bad:
        path.write_text(f"words of {path}")
    with pytest.raises(LakeUploadError, match=rf"{bad[0]}: .*not an image"):
        upload(bad, tags=[tag], if_exists=if_exists)

    for _ in range(2):
        summary = upload([*photos[:1], *bad], tags=[tag], if_exists=if_exists)

    assert (summary["skipped"], summary["known_bad"], summary["failed"]) == (5, 4, 0)
    assert [each["path"] for each in summary["known_bad_files"]] == [str(path) for path in bad]
    assert all("not an image" in each["reason"] for each in summary["known_bad_files"])
    assert len(_data(lake, tag)) == 5


@pytest.mark.parametrize("if_exists", ["skip", "skip_content"])
@pytest.mark.parametrize("memory", ["nothing", "state", "manifest", "state that was lost"])
def test_a_retry_counts_what_its_own_run_could_not_bring_in(
    lake: LakeProcess, tag: str, photos: list[Path], tmp_path: Path, if_exists: IfExists, memory: str
) -> None:
    """A task that had too many failures does not turn green by them; the next run knows what is bad."""
    bad = [path.with_suffix(".broken.jpg") for path in photos]
    for path in bad:
        path.write_text(f"words of {path}")
    manifest = tmp_path / "m.jsonl" if memory == "manifest" else None
    operator = UploadDataOperator(
        task_id="upload", filepaths=[str(path) for path in bad], tags=[tag], if_exists=if_exists, manifest=manifest
    )
    run = Tries()
    for number in range(3):
        context = run.next()
        if memory != "state":
            run.state.clear()
        if memory == "nothing":
            del context["task_state_store"]
        with pytest.raises(LakeUploadError, match=rf"(?s)4 of 4 files failed.*{bad[number]}: .*not an image"):
            operator.execute(context)

    of_next_run = operator.execute(Tries().next())

    assert (of_next_run["skipped"], of_next_run["known_bad"], of_next_run["failed"]) == (4, 4, 0)
    assert len(_data(lake, tag)) == 4


def test_the_same_bad_file_twice_in_one_task_fails_twice(lake: LakeProcess, tag: str, photos: list[Path]) -> None:
    """Though the lake gets it once: nobody has known it before."""
    for path in photos[:2]:
        path.write_text(f"words of {tag}")

    with pytest.raises(LakeUploadError, match=r"2 of 4 files failed"):
        upload(photos, tags=[tag], if_exists="skip_content")

    assert len(_data(lake, tag)) == 3


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_counters_that_start_again_drop_no_photo(lake: LakeProcess, tag: str, tmp_path: Path, suffix: str) -> None:
    """Photos of one name in the folders of several days: bitmaps even have one size. Another run doubles none."""
    paths = []
    for day in range(3):
        for number in range(3):
            path = tmp_path / f"day-{day}" / f"{tag}-{number}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (16, 16), (80 * day, 80 * number, int(tag[-2:], 16))).save(path)
            paths.append(path)

    first = upload(paths[:6], tags=[tag], if_exists="skip")
    second = upload(paths[3:], tags=[tag], if_exists="skip")
    alone = [upload([path], tags=[tag], if_exists="skip")["skipped"] for path in paths[:6:3]]

    assert (first["uploaded"], first["skipped"]) == (6, 0)
    assert (second["uploaded"], second["skipped"]) == (3, 3)
    assert alone == [1, 1]
    kept = [hashlib.sha256(each.read()).hexdigest() for each in _data(lake, tag)]
    assert sorted(kept) == sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def test_what_came_in_by_other_means_is_told_by_size_and_content(
    lake: LakeProcess, tag: str, photos: list[Path], tmp_path: Path
) -> None:
    """Without a hash in the lake: by size, and by the bytes where several files have the name."""
    lake.client().get_datalake().upload_data([str(photos[0])], tags=[tag])
    namesake, cut = tmp_path / "x" / photos[0].name, tmp_path / "y" / photos[0].name
    for path in (namesake, cut):
        path.parent.mkdir()
    content = photos[0].read_bytes()
    namesake.write_bytes(content[:-3] + b"xyz")
    cut.write_bytes(content[:-3])

    assert upload([photos[0]], tags=[tag], if_exists="skip")["skipped"] == 1
    summary = upload([photos[0], namesake, cut], tags=[tag], if_exists="skip")

    assert (summary["uploaded"], summary["skipped"]) == (2, 1)


@pytest.mark.parametrize("if_exists", ["skip", "skip_content"])
def test_objects_that_have_not_changed_are_not_downloaded_again(
    tag: str, photos: list[Path], monkeypatch: pytest.MonkeyPatch, if_exists: str
) -> None:
    """Their storage's ETag is kept in the lake; one that was written anew is read, and comes in."""
    folder = f"memory://{tag}/day"
    opened: list[str] = []

    def etag(found: Any) -> dict[str, Any]:
        is_object = found["type"] == "file"
        content = MemoryFileSystem.store[found["name"]].getvalue() if is_object else b""
        return {**found} | ({"ETag": f'"{hashlib.md5(content).hexdigest()}-3"'} if is_object else {})  # noqa: S324 - S3's

    info, find, open_object = MemoryFileSystem.info, MemoryFileSystem.find, MemoryFileSystem._open

    def open_and_tell(storage: Any, path: str, mode: str = "rb", **options: Any) -> Any:
        opened.extend([path] if mode == "rb" else [])
        return open_object(storage, path, mode, **options)

    def find_with_etags(storage: Any, path: str, detail: bool = False, **options: Any) -> Any:
        found = find(storage, path, detail=True, **options)
        return {name: etag(each) for name, each in found.items()} if detail else list(found)

    # As S3 does, and unlike fsspec's storage in memory.
    monkeypatch.setattr(MemoryFileSystem, "info", lambda storage, path, **options: etag(info(storage, path, **options)))
    monkeypatch.setattr(MemoryFileSystem, "find", find_with_etags)
    monkeypatch.setattr(MemoryFileSystem, "_open", open_and_tell)
    storage = MemoryFileSystem()
    for path in photos:
        storage.pipe_file(f"/{tag}/day/{path.name}", path.read_bytes())
    first = upload([folder], tags=[tag], if_exists=if_exists)  # type: ignore[list-item]  # a URL
    opened.clear()

    again = upload([folder], tags=[tag], if_exists=if_exists)  # type: ignore[list-item]  # a URL
    read_again = list(opened)
    storage.pipe_file(f"/{tag}/day/{photos[0].name}", photos[0].read_bytes()[:-4] + b"anew")
    changed = upload([folder], tags=[tag], if_exists=if_exists)  # type: ignore[list-item]  # a URL

    assert (first["uploaded"], again["skipped"], read_again) == (4, 4, [])
    assert (changed["uploaded"], changed["skipped"], len(opened)) == (1, 3, 1)


def test_a_file_that_changes_after_it_was_hashed_is_not_kept(
    lake: LakeProcess, tag: str, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash would lie about its bytes."""
    find = by_content

    def change_and_find(*arguments: object) -> object:
        photos[0].write_bytes(photos[0].read_bytes() + b"more")
        return find(*arguments)  # type: ignore[arg-type]  # handed on as they come

    monkeypatch.setattr(file_upload, "by_content", change_and_find)

    with pytest.raises(LakeUploadError, match=r"changed while it was uploaded"):
        upload(photos, tags=[tag], if_exists="skip_content")

    assert sorted(each.filename for each in _data(lake, tag)) == sorted(path.name for path in photos[1:])


def test_a_value_in_the_field_of_the_hash_is_refused(lake: LakeProcess, tag: str, photos: list[Path]) -> None:
    """Before anything is uploaded."""
    metadata = [{}, {}, {"custom_id": "mine"}, {}]

    with pytest.raises(LakePermanentError, match="custom_id"):
        upload(photos, tags=[tag], metadata=metadata, if_exists="skip_content")

    assert tag not in {found.name for found in lake.client().get_datalake().list_data_tags()}
    assert upload(photos, tags=[tag], metadata=metadata, if_exists="skip")["uploaded"] == 4


def test_an_unknown_way_is_refused_when_the_dag_is_parsed() -> None:
    """With the ways that there are."""
    with pytest.raises(ValueError, match="upload, skip, skip_content"):
        UploadDataOperator(task_id="upload", filepaths="x", if_exists="replace")  # type: ignore[arg-type]  # the mistake
