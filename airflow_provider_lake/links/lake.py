"""Links from a task to the datalake, the data and the job that it works on.

Airflow reads a link from an XCom of the task, which Airflow itself writes only when the task's process ends. The
functions ``show_...`` write it earlier, as soon as the URL is known: the link then works while the task runs, and
after a failure.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from airflow.sdk import BaseOperatorLink

from airflow_provider_lake import configuration
from airflow_provider_lake.hooks.connection import without_credentials

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

    from airflow_provider_lake.client import Client, Datalake

logger = logging.getLogger(__name__)


class _XComLink(BaseOperatorLink):
    """A link whose URL the task has published in an XCom while it ran."""

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Return the URL that the task has published; empty: none."""
        from airflow.providers.common.compat.sdk import XCom

        return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")


class LakeDatalakeLink(_XComLink):
    """Link to the datalake of a task."""

    name = "Datalake"


class LakeDataLink(_XComLink):
    """Link to the data that a task creates or processes."""

    name = "Data in the lake"


class LakeJobLink(_XComLink):
    """Link to the job that a task has started, or waits for."""

    name = "Job in the lake"


def show_datalake(datalake: "Datalake") -> None:
    """Publish the link of the running task to its datalake."""
    pattern = configuration.url_pattern("datalake_url", configuration.DATALAKE_URL)
    _show(LakeDatalakeLink, pattern, **_url_fields(datalake))


def show_data(
    datalake: "Datalake", tags: Sequence[str] = (), query: str | None = None, *, intersect_tags: bool = False
) -> None:
    """Publish the link of the running task to its data: those that match the query and have one or all of the tags."""
    from airflow_provider_lake.client.listing.selection import Selection

    if intersect_tags:
        query, tags = Selection(tags=tags, intersect_tags=True, q=query).query, ()
    selection = urlencode([*(("tag", tag) for tag in tags), *([("q", query)] if query else [])], quote_via=quote)
    if not selection:
        # Without an XCom, Airflow would log a warning about the missing link.
        _push_xcom(LakeDataLink, "")
        return
    pattern = configuration.url_pattern("data_url", configuration.DATA_URL)
    _show(LakeDataLink, pattern, **_url_fields(datalake), selection=selection)


def show_job(client: "Client", job_id: str) -> None:
    """Publish the link of the running task to its job."""
    pattern = configuration.url_pattern("job_url", configuration.JOB_URL)
    _show(
        LakeJobLink,
        pattern,
        host=without_credentials(client.host),
        organization_id=client.organization_id,
        job_id=quote(job_id, safe=""),
    )


def _url_fields(datalake: "Datalake") -> dict[str, Any]:
    return {
        "host": without_credentials(datalake.session.host),
        "organization_id": datalake.session.organization_id,
        "datalake_id": datalake.id,
        "datalake": quote(datalake.name, safe=""),
    }


def _show(link: type[_XComLink], pattern: str, **fields: Any) -> None:
    try:
        url = pattern.format(**fields)
    except (LookupError, ValueError, AttributeError) as error:
        # A task must not fail because of a link.
        logger.warning("No link %r: the pattern %r cannot be filled: %r", link.name, pattern, error)
        return
    _push_xcom(link, url)


def _push_xcom(link: type[_XComLink], url: str) -> None:
    from airflow.sdk import get_current_context

    try:
        context = get_current_context()
    except RuntimeError:
        return  # called outside of a task
    context["ti"].xcom_push(key=link().xcom_key, value=url)
