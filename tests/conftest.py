"""Options that make some tests as long as one likes."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption("--kills", type=int, default=10, help="how often the lake is killed in its test (10)")
    parser.addoption("--task-kills", type=int, default=3, help="how often the process of an upload is killed (3)")
    parser.addoption("--waits", type=int, default=12, help="how many tasks wait through an outage (12)")
    parser.addoption("--outage", type=float, default=0, help="how many seconds it lasts at least (0)")
    parser.addoption("--kill-seed", type=int, default=1, help="chooses the moments of the kills (1)")
    parser.addoption(
        "--corpus", type=Path, help="folder of foreign files that every way into the lake is tried on, too"
    )
    parser.addoption("--fuzz-seconds", type=int, default=0, help="how long each fuzz test goes on, with ever new input")
