"""What the documents show works in every run, also in one that data or a person started."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from airflow.sdk import DAG

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("docs", "example_dags", "airflow_provider_lake")
FILES = sorted(
    [
        ROOT / "README.md",
        *(file for name in FOLDERS for file in (ROOT / name).rglob("*") if file.suffix in {".md", ".py"}),
    ]
)
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")


class Anything:
    """What holds something under every name, as the parameters and the configuration of a run may."""

    def __getattr__(self, name: str) -> "Anything":
        return self

    def __getitem__(self, name: str) -> "Anything":
        return self

    def __len__(self) -> int:
        return 1


def _templates(file: Path) -> list[str]:
    text = re.sub(r"`\{\{ ds \}\}`", "", file.read_text())
    text = re.sub(r"#.*\{\{ ds \}\} is undefined", "", text)
    return [found for found in _TEMPLATE.findall(text) if "{{{{" not in found]


@pytest.mark.parametrize("file", [file for file in FILES if _templates(file)], ids=lambda file: file.name)
def test_every_template_renders_without_a_logical_date(file: Path) -> None:
    """By the names that Airflow knows in such a run; one that is missing there is an error, as it is in a task."""
    environment = DAG("dag", schedule=None).get_template_env()
    run = SimpleNamespace(run_after=datetime(2024, 5, 6, tzinfo=UTC), conf=Anything(), run_id="manual__1")
    names = ("dag", "task", "params", "ti", "task_instance", "macros", "var", "conn", "triggering_asset_events")
    known = dict.fromkeys(names, Anything()) | {"dag_run": run, "run_id": run.run_id}

    assert environment.undefined is jinja2.StrictUndefined
    for template in _templates(file):
        assert environment.from_string(template).render(known)
    assert environment.from_string("{{ dag_run.run_after | ds }}").render(known) == "2024-05-06"
