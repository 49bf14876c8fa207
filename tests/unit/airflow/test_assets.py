"""Datalakes as Airflow assets."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager
from airflow.sdk import Asset

from airflow_provider_lake.assets.lake import arrived_data_ids, create_asset, dataset_name, lake_asset
from airflow_provider_lake.exceptions import LakeArgumentError


@pytest.mark.parametrize(
    ("uri", "normal"),
    [
        ("lake://Example.COM/default", "lake://example.com/default"),
        ("LAKE://example.com:443/default/", "lake://example.com/default"),
        ("lake://example.com:80/default", "lake://example.com:80/default"),
        ("lake://h/a%20b/default?tag=x&organization=acme", "lake://h/a%20b/default?organization=acme&tag=x"),
        ("lake://user@example.com:8765/default#part", "lake://example.com:8765/default"),
        ("lake://[::1]:8765/my%20lake", "lake://[::1]:8765/my%20lake"),
        ("lake://h/d?tag=b&tag=a&tag=b", "lake://h/d?tag=a&tag=b"),
    ],
)
def test_airflow_knows_one_asset_by_one_uri(uri: str, normal: str) -> None:
    """Airflow finds the handler in the provider's metadata, and its result stays as it is."""
    assert Asset(name="x", uri=uri).uri == normal
    assert Asset(name="x", uri=normal).uri == normal


@pytest.mark.parametrize(
    "uri",
    ["lake:///default", "lake://h", "lake://h/", "lake://h/d?organization=a&organization=b", "lake://h/d?query=x"],
)
def test_what_names_no_datalake_is_refused(uri: str) -> None:
    """When the DAG is parsed, with the form that is meant."""
    with pytest.raises(ValueError, match="lake://host/datalake"):
        Asset(name="x", uri=uri)


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("example.com", "example.com"),
        ("https://example.com", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("http://user:secret@example.com:8765/path", "example.com:8765/path"),
        ("http://example.com:80", "example.com:80"),
        ("http://Example.com/", "example.com:80"),
        ("https://h/a", "h/a"),
        ("http://[::1]:8765", "[::1]:8765"),
        ("127.0.0.1:8765", "127.0.0.1:8765"),
    ],
)
def test_an_asset_is_made_of_what_a_connection_holds(host: str, location: str) -> None:
    """Neither URI nor name hold user or password."""
    asset = lake_asset(host, "a/b", "Gate 1")

    assert asset.uri == f"lake://{location}/a%2Fb?tag=Gate+1"
    assert asset.name == asset.uri


@pytest.mark.filterwarnings("ignore:ProvidersManager.asset_factories is deprecated")
def test_airflow_makes_assets_by_our_factory() -> None:
    """As its collector of lineage does."""
    factory = ProvidersManager().asset_factories["lake"]

    assert factory is create_asset
    assert factory(host="h", datalake="d", extra={"count": 1}) == Asset(
        name="lake://h/d", uri="lake://h/d", extra={"count": 1}
    )


def test_a_dag_reads_which_data_started_it() -> None:
    """Each once, though an event may come twice; events of other origin are left out."""
    extras = [
        {"from_trigger": True, "payload": {"data_ids": ["a", "b"]}},
        {"from_trigger": True, "payload": {"data_ids": ["b", "c"]}},
        {"job_id": "j", "progress": {"imported": 3}},
        {},
        None,
    ]

    assert arrived_data_ids([SimpleNamespace(extra=extra) for extra in extras]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "given",
    [{"host": "{{ conn.lake.host }}"}, {"datalake": "{{ params.lake }}"}, {"tag": ["a", "{{ ds }}"]}, {"tag": True}],
)
def test_an_asset_is_made_of_constants_only(given: dict[str, Any]) -> None:
    """Airflow renders no template in it: its name would be the braces."""
    with pytest.raises(ValueError, match=f"^{next(iter(given))} must be"):
        lake_asset(**({"host": "h", "datalake": "d"} | given))


def test_lakes_and_organizations_of_one_host_are_several() -> None:
    """Neither starts the other's DAGs, and OpenLineage knows them by other names."""
    assets = [
        lake_asset(host, "default", organization=organization)
        for host in ("https://h", "http://h", "https://h/a", "https://h/b")
        for organization in (None, "acme", "other")
    ]

    assert len({asset.uri for asset in assets}) == len({dataset_name(asset.uri) for asset in assets}) == 12
    assert dataset_name(lake_asset("https://h/a", "d", ["x"], organization="acme").uri) == (
        "lake://h/a",
        "acme/d?tag=x",
    )
    assert lake_asset("https://h:443/", "d") == lake_asset("H", "d")


def test_events_of_tasks_name_their_data_too(tmp_path: Path) -> None:
    """Up to 100 by their ids, above by their manifest; an upload that names none is no empty one."""
    manifest = tmp_path / "m.jsonl"
    lines = [{"path": "a", "status": "uploaded", "data_id": "a"}, {"path": "b", "status": "skipped", "data_id": "b"}]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    extras: list[dict[str, Any]] = [
        {"uploaded": 2, "data_ids": ["c", "d"], "manifest": str(manifest)},
        {"payload": {"data_ids": ["d", "e"]}},
        {"uploaded": 101, "manifest": str(manifest)},
        {"uploaded": 0, "skipped": 3},
    ]

    assert arrived_data_ids([SimpleNamespace(extra=extra) for extra in extras]) == ["c", "d", "e", "a"]
    with pytest.raises(ValueError, match="upload of 101 data does not name them: give that upload a manifest"):
        arrived_data_ids([SimpleNamespace(extra={"uploaded": 101})])


@pytest.mark.parametrize(
    "host",
    [
        "http://h:x",
        "h:99999",
        "[::1",
        "http://",
        "h ost",
        "h\n.example",
        "h\t",
        "ftp://h",
        "h?x=1",
        "https://h#x",
        "h:0",
    ],
)
def test_an_asset_of_no_host_is_refused_by_name(host: str) -> None:
    """Where the DAG is parsed; none of it is passed over."""
    with pytest.raises(LakeArgumentError, match=r"^host .* is no host"):
        lake_asset(host, "default")


def test_an_asset_without_watchers_and_extra_may_say_so() -> None:
    """None is nothing; what is no mapping is refused by name."""
    asset = lake_asset("h", "d", watchers=None, extra=None)  # type: ignore[arg-type]  # as a variable may hold it

    assert asset.watchers == []
    with pytest.raises(LakeArgumentError, match=r"^extra must be a mapping"):
        lake_asset("h", "d", extra="x")  # type: ignore[arg-type]  # as somebody may write it


@pytest.mark.parametrize("events", [None, "x", 5, [None], [{}], {"asset": []}, [Asset(name="a", uri="lake://h/d")]])
def test_what_are_no_events_of_an_asset_is_refused_by_name(events: Any) -> None:
    """Such as the events of all assets together."""
    with pytest.raises(LakeArgumentError, match=r"^events must be those of one asset"):
        arrived_data_ids(events)
