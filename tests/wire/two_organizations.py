"""A lake that two organizations use, the first of which has one of everything."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, photo, wait_for
from tests.wire.lake_api import LakeApi

CONTENT = photo(40, 30)


@dataclass(frozen=True)
class TwoOrganizations:
    """Two callers of one lake.

    :param ids: of what the first organization has, by the names that the paths of routes use.
    :param names: object names and other names of the first organization.
    :param own: ids of the second organization, by the same names.
    """

    lake: LakeProcess
    first: LakeApi
    second: LakeApi
    ids: Mapping[str, str]
    names: Mapping[str, str]
    own: Mapping[str, str]

    def rows(self) -> set[str]:
        """Return every row of every table, as text."""
        with closing(sqlite3.connect(self.lake.data_dir / "lake.db")) as connection:
            found = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
            tables = [name for (name,) in found]
            return {
                repr((table, *row))
                for table in tables
                for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of its own tables
            }

    def objects(self) -> dict[str, bytes]:
        """Return the stored objects of the first organization."""
        files = [path for path in self.lake.objects.rglob("*") if path.is_file()]
        named = {str(path.relative_to(self.lake.objects)): path for path in files}
        return {name: path.read_bytes() for name, path in named.items() if not name.startswith(".organizations/")}

    def mentions_first(self, row: str) -> bool:
        """Whether a row names anything of the first organization."""
        return any(UUID(found).hex in row for name, found in self.ids.items() if name != "key")


@contextmanager
def two_organizations(folder: Path) -> Iterator[TwoOrganizations]:
    """Run the lake."""
    with LakeProcess(folder / "data", is_preloaded=True) as lake:
        first = LakeApi(lake)
        second = LakeApi(lake, lake.run("user", "add", "bea", "--organization", "other").strip())
        ids, names = _fill(first)
        yield TwoOrganizations(lake, first, second, ids, names, _ids(second))


def _ids(api: LakeApi) -> dict[str, str]:
    return {"organization_id": api.organization, "datalake_id": api.datalake, "connector_id": api.connector}


def _fill(api: LakeApi) -> tuple[dict[str, str], dict[str, str]]:
    """Make one of everything, and wait until the lake has done with it."""
    lake, organization = f"/api/datalake/{api.datalake}", f"/api/organization/{api.organization}"
    tag = api.post(f"{lake}/tags", {"name": "secret tag"}).json()["id"]
    source = api.post(f"{organization}/datasources", {"name": "secret source"}).json()["id"]
    named = api.upload("secret.jpg", CONTENT)
    data = api.register("secret.jpg", named, tags=[tag], data_source_id=source).json()["id"]
    shown = api.upload("shown.jpg", CONTENT)
    wanted = {"name": "shown", "file_size": len(CONTENT), "object_name": shown, "filename": "shown.jpg"}
    wanted |= {"content_type": "image/jpeg", "width": 40, "height": 30}
    projection = api.post(f"/api/data/{data}/projections", wanted).json()["id"]
    processing = api.post(f"{organization}/processings", {"name": "secret processing"}).json()["id"]
    api.post(f"/api/processing/{processing}/inputs", {"name": "depth", "input_type": "NUMBER", "required": False})
    api.post(f"{lake}/custom-metadata/keys/secret", {"input_type": "STRING", "required": False})
    job = api.post(f"{lake}/objects", {"prefixes": ["none/"], "tag_ids": []}).json()["job"]["id"]
    finished(api, job)
    begun = {"object_name": "secret.mp4", "content_type": "video/mp4"}
    upload = api.post(f"/api/object-storage/{api.connector}/init_multipart_upload", begun).json()["upload_id"]
    wait_for(lambda: api.get(f"/api/data/{data}/projections").json()["count"] == 2)  # the thumbnail too
    ids = _ids(api) | {"tag_id": tag, "source_id": source, "data_id": data, "projection_id": projection}
    ids |= {"processing_id": processing, "job_id": job, "upload_id": upload}
    return ids, {"data": named, "projection": shown, "upload": "secret.mp4"}
