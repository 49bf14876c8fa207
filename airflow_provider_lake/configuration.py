"""The section ``[lake]`` of Airflow's configuration; ``get_provider_info.py`` describes it to Airflow."""

from airflow.providers.common.compat.sdk import conf

SECTION = "lake"
DATALAKE_URL = "{host}/datalake/{datalake_id}"
DATA_URL = "{host}/datalake/{datalake_id}?{selection}"
JOB_URL = "{host}/job/{job_id}"
POLL_INTERVAL_SECONDS = 5.0
OUTAGE_BUDGET_SECONDS = 600.0


def poll_interval() -> float:
    """Return the seconds between two looks at what is waited for, where a task does not say."""
    return float(conf.getfloat(SECTION, "poll_interval", fallback=POLL_INTERVAL_SECONDS))


def outage_budget() -> float:
    """Return the seconds that the lake may fail to answer while it is waited for, where a task does not say."""
    return float(conf.getfloat(SECTION, "outage_budget", fallback=OUTAGE_BUDGET_SECONDS))


def url_pattern(option: str, default: str) -> str:
    """Return the pattern of an address that people open in their browsers.

    :param option: name of its option.
    """
    return str(conf.get(SECTION, option, fallback=None) or default)
