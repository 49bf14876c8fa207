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
    """Return the seconds between two looks at what is waited for, where a task does not say."""
    return _seconds("poll_interval", POLL_INTERVAL_SECONDS)


def outage_budget() -> float:
    """Return the seconds that the lake may fail to answer while it is waited for, where a task does not say."""
    return _seconds("outage_budget", OUTAGE_BUDGET_SECONDS)


def multiple_outputs() -> bool:
    """Return whether the values of a task's summary are XComs of their own, where a task does not say.

    Airflow 3.0 cannot push None, which stands in every summary.
    """
    major, minor = __version__.split(".")[:2]
    return (int(major), int(minor)) >= (3, 1)


def _seconds(option: str, default: float) -> float:
    """Return a duration.

    :raises LakeArgumentError: the option is no number of seconds.
    """
    given = conf.get(SECTION, option, fallback=None)
    try:
        seconds: Any = float(given) if given else default
    except ValueError:
        seconds = given
    return read_seconds(f"option {option} in section [{SECTION}] of Airflow's configuration", seconds)


def url_pattern(option: str, default: str) -> str:
    """Return the pattern of an address that people open in their browsers.

    :param option: name of its option.
    """
    return str(conf.get(SECTION, option, fallback=None) or default)
