"""The section ``[lake]`` of Airflow's configuration; ``get_provider_info.py`` describes it to Airflow."""

from typing import Any

from airflow import __version__
from airflow.providers.common.compat.sdk import conf

from airflow_provider_lake.arguments import read_seconds

SECTION = "lake"
DATALAKE_URL = "{host}/datalake/{datalake_id}"
DATA_URL = "{host}/datalake/{datalake_id}?{selection}"
JOB_URL = "{host}/job/{job_id}"
POLL_INTERVAL_SECONDS = 5.0
OUTAGE_BUDGET_SECONDS = 600.0


def poll_interval() -> float:
    """Return the default seconds between two polls, for tasks that do not set them."""
    return _seconds("poll_interval", POLL_INTERVAL_SECONDS)


def outage_budget() -> float:
    """Return the default outage budget in seconds, for tasks that do not set one."""
    return _seconds("outage_budget", OUTAGE_BUDGET_SECONDS)


def multiple_outputs() -> bool:
    """Return the default for whether each value of a task's summary is also an XCom of its own.

    Airflow 3.0 cannot push None, and every summary contains it.
    """
    major, minor = __version__.split(".")[:2]
    return (int(major), int(minor)) >= (3, 1)


def _seconds(option: str, default: float) -> float:
    """Return a duration.

    :raises LakeArgumentError: the option is not a number of seconds.
    """
    given = conf.get(SECTION, option, fallback=None)
    try:
        seconds: Any = float(given) if given else default
    except ValueError:
        seconds = given
    return read_seconds(f"option {option} in section [{SECTION}] of Airflow's configuration", seconds)


def url_pattern(option: str, default: str) -> str:
    """Return the pattern of a URL that users open in a browser.

    :param option: name of the pattern's option.
    """
    return str(conf.get(SECTION, option, fallback=None) or default)
