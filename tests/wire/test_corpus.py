"""Odd files, and those of a folder (``--corpus DIR``): every way in takes them alike, and as exiftool does."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from airflow_provider_lake.client import Data, Datalake, ErrorManager, MultiData
from airflow_provider_lake.media.images import ImageHeader, ImageUnsupportedError, NotAnImageError, read_header
from airflow_provider_lake.media.kinds import content_type_of, kind_of
from tests.lake_process import LakeProcess
from tests.odd_files import odd_files
from tests.wire import exiftool

# Where exiftool says something else, and why it is not what is displayed.
_OTHERWISE = {
    "favourite.ico": "it gives the first of the pictures, Pillow the largest",
    "latin-1.jpg": "it is asked to read UTF-8",
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files, and what became of each on both ways in.

    :param paths: the files, by the names that they have in the lake: each once.
    :param uploaded: those that became data by an upload.
    :param refused: why the others did not.
    :param imported: those that became data by an import.
    :param failed: why the others did not.
    """

    folder: Path
    paths: Mapping[str, Path]
    uploaded: Mapping[str, Data]
    refused: Mapping[str, str]
    imported: Mapping[str, Data]
    failed: Mapping[str, str]


@pytest.fixture(scope="module")
def corpus(lake: LakeProcess, request: pytest.FixtureRequest) -> Corpus:
    """Send all files through an upload and an import."""
    folder = lake.objects / f"corpus-{uuid4()}"
    folder.mkdir(parents=True)
    for name, content in odd_files().items():
        (folder / name).write_bytes(content)
    foreign: Path | None = request.config.getoption("--corpus")
    if foreign is not None:
        for number, path in enumerate(sorted(path for path in foreign.rglob("*") if path.is_file())):
            if kind_of(path.name) is not None:
                shutil.copyfile(path, folder / f"{number}-{path.name}")
    paths = {path.name: path for path in sorted(folder.iterdir())}
    datalake = lake.client().get_datalake()
    uploaded, refused = _upload(datalake, paths)
    job = datalake.import_bucket_objects([f"{folder.name}/"])
    failures = (job.wait_for_done(0.05, 1200).progress or {})["failures"]
    found = datalake.list_data(q=f'object_name startswith "{folder.name}/"')
    return Corpus(
        folder,
        paths,
        uploaded,
        refused,
        {data.filename: data for data in found},
        {each["object_name"].rpartition("/")[2]: each["reason"] for each in failures},
    )


def _upload(datalake: Datalake, paths: Mapping[str, Path]) -> tuple[dict[str, Data], dict[str, str]]:
    errors = ErrorManager()
    data = datalake.upload_data(list(paths.values()), fill_metadata=True, error_manager=errors)
    assert isinstance(data, MultiData)
    return {each.filename: each for each in data}, {Path(error.path).name: str(error) for error in errors.errors}


def _images(corpus: Corpus) -> Iterator[tuple[str, ImageHeader | str]]:
    """Yield what each image's header tells, or why it tells nothing."""
    for name, path in corpus.paths.items():
        if kind_of(name) == "IMAGE":
            yield name, _header(path)


def _header(path: Path) -> ImageHeader | str:
    """Return what a file's header tells, or why it tells nothing; nothing else may be raised."""
    try:
        with path.open("rb") as file:
            return read_header(file)
    except (NotAnImageError, ImageUnsupportedError) as error:
        return str(error)


def test_there_are_many_odd_files(corpus: Corpus) -> None:
    """Enough of all kinds; most are images, some are none."""
    assert len(corpus.paths) >= 120
    assert len(corpus.failed) >= 15


def test_each_file_comes_in_or_fails_by_itself_with_a_reason(corpus: Corpus) -> None:
    """On both ways; the reasons are those of the header."""
    assert {*corpus.uploaded, *corpus.refused} == {*corpus.imported, *corpus.failed} == set(corpus.paths)
    for name, header in _images(corpus):
        if isinstance(header, ImageHeader):
            assert name in corpus.uploaded, f"{name}: {corpus.refused.get(name)}"
            assert name in corpus.imported, f"{name}: {corpus.failed.get(name)}"
        else:
            # The client says so before it sends anything.
            assert corpus.refused[name].endswith((header, "is empty")), name
            assert corpus.failed[name] == header, name


def test_upload_and_import_agree(corpus: Corpus) -> None:
    """On size, type, content type and metadata, which are those of the header."""
    assert set(corpus.uploaded) == set(corpus.imported)
    for name, uploaded in corpus.uploaded.items():
        assert _seen(uploaded) == _seen(corpus.imported[name]), name
    for name, header in _images(corpus):
        if isinstance(header, ImageHeader):
            assert _seen(corpus.imported[name]) == {
                "size": (header.width, header.height),
                "type": "IMAGE",
                "content_type": content_type_of(name),
                "metadata": header.metadata or None,
                "state": "DONE",
            }, name


def _seen(data: Data) -> dict[str, Any]:
    return {
        "size": (data.width, data.height),
        "type": data.type,
        "content_type": data.content_type,
        "metadata": dict(data.metadata) if data.metadata else None,
        "state": data.upload_status.value,
    }


def test_exiftool_says_the_same(corpus: Corpus) -> None:
    """Of displayed size, moment with its offset, place and maker."""
    said = exiftool.ask_exiftool(corpus.paths.values())
    wrong = {}
    for name, data in corpus.imported.items():
        if name in _OTHERWISE or data.type != "IMAGE":
            continue
        theirs = said[str(corpus.paths[name])]
        metadata = data.metadata or {}
        ours = {
            "size": (data.width, data.height),
            "moment": metadata.get("acquired_at"),
            "place": (metadata["latitude"], metadata["longitude"]) if "latitude" in metadata else None,
            "maker": metadata.get("manufacturer"),
        }
        expected = {
            "size": exiftool.displayed_size(theirs) or ours["size"],
            "moment": exiftool.moment(theirs),
            "place": pytest.approx(exiftool.place(theirs), abs=1e-6),
            "maker": exiftool.maker(theirs),
        }
        if ours != expected:
            wrong[name] = {key: (ours[key], expected[key]) for key in ours if ours[key] != expected[key]}

    assert wrong == {}
