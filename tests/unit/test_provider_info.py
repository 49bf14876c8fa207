"""What Airflow reads about the provider."""

import json
from collections.abc import Iterator
from importlib import import_module, resources
from importlib.metadata import entry_points
from typing import Any

import jsonschema
import pytest

from airflow_provider_lake.get_provider_info import get_provider_info


def test_the_metadata_follows_airflows_schema() -> None:
    """Airflow's own JSON schema accepts the metadata."""
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text())

    jsonschema.validate(get_provider_info(), schema)


def test_airflow_finds_the_metadata_by_the_entry_point() -> None:
    """The installed distribution announces the provider."""
    [entry] = entry_points(group="apache_airflow_provider", module=get_provider_info.__module__)

    assert entry.load() is get_provider_info


def test_every_dotted_path_in_it_can_be_imported() -> None:
    """No module or class that the metadata names is missing."""
    paths = [path for path in _strings(get_provider_info()) if path.startswith("airflow_provider_lake.")]

    assert len(paths) >= 7
    for path in paths:
        module, _, name = path.rpartition(".")
        assert hasattr(import_module(module), name) or import_module(path)


@pytest.mark.filterwarnings("ignore:ProvidersManager.hooks is deprecated")
def test_airflow_shows_our_connection_fields() -> None:
    """Airflow's providers manager, as the connection form asks it, knows type, fields and placeholders."""
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    widgets = manager.connection_form_widgets
    fields = {name.removeprefix("extra__lake__") for name in widgets if name.startswith("extra__lake__")}
    hook = manager.hooks["lake"]

    assert hook is not None
    assert (hook.hook_name, hook.connection_testable) == ("Lake", True)
    assert fields == {"organization_id", "organization_name", "datalake", "verify_ssl", "timeout"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
