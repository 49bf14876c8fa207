"""What Airflow reads about the provider."""

import json
from collections.abc import Iterator
from importlib import import_module, resources
from importlib.metadata import entry_points
from typing import Any

import jsonschema

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


def test_the_connection_form_shows_our_fields() -> None:
    """What Airflow gives its form, on every version: the extra fields, and each field of its own that is read."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    [form] = [found for found in HookMetaService.hook_meta_data() if found.connection_type == "lake"]

    assert form.hook_name == "Lake"
    assert set(form.extra_fields or {}) == {
        *("organization_id", "organization_name", "datalake", "lake_name", "verify_ssl", "timeout")
    }
    assert form.standard_fields is not None
    for name in ("host", "password", "port", "url_schema"):
        field = getattr(form.standard_fields, name)
        assert field is None or not field.hidden, name


def test_the_hook_describes_the_form_as_the_metadata_do() -> None:
    """Airflow below 3.2 asks the hook, later ones read the metadata: both show the same."""
    from airflow_provider_lake.hooks.lake import LakeHook

    [described] = get_provider_info()["connection-types"]
    behaviour = {name.replace("_", "-"): value for name, value in LakeHook.get_ui_field_behaviour().items()}

    assert behaviour == described["ui-field-behaviour"]
    assert described["hook-class-name"] == f"{LakeHook.__module__}.{LakeHook.__name__}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
