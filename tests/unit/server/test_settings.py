"""A lake's folder may have any name, and its database lies in it."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database

ODD_NAMES = [
    "cams?a",
    "cams?mode=ro",
    "100%25",
    "100%",
    "a#b",
    "a b",
    "Kühe",
    "a\nb",
    "user@host:5",
    "file:x",
    "caf\udce9",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_database_lies_in_its_folder_whatever_that_is_called(name: str, tmp_path: Path) -> None:
    """And nowhere else: beside it another lake may have its own."""
    folder = tmp_path / name
    folder.mkdir()
    with closing(Database(Settings(folder).sqlalchemy_url)) as database, database.writing() as session:
        session.connection().exec_driver_sql("CREATE TABLE here (id INTEGER)")
    assert (folder / "lake.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_two_folders_never_share_a_database(name: str) -> None:
    """What a name holds stays a name on its way through a URL."""
    if name in {".", ".."}:
        return
    url = Settings(Path("/lakes") / name).sqlalchemy_url
    assert url.database == f"/lakes/{name}/lake.db"
    assert not url.query
