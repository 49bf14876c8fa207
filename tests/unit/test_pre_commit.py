"""What checks a commit is what checks the project."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_commit_runs_the_programs_of_the_check() -> None:
    """The hooks run the programs of `python3 dev.py check`, each from `.venv`: nothing is fetched."""
    check = (ROOT / "dev.py").read_text().partition("def check(")[2].partition("\ndef ")[0]
    programs = re.findall(r'run\(BIN / "([\w-]+)"', check)
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    assert programs
    assert re.findall(r"entry: (\S+)", config) == [f".venv/bin/{program}" for program in programs]
    assert re.findall(r"repo: (\S+)", config) == ["local"]
