"""Links from a task to the datalake, the data and the job that it works on.

Airflow finds a link in an XCom of the task, which it writes itself only when the task's process ends. The functions
``show_...`` write it earlier, as soon as the address is known: so it is there while the task runs, and stays whatever
becomes of it.
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
    """A link whose address the task has made known while it ran."""

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Return the address that the task made known; empty: none."""
        from airflow.providers.common.compat.sdk import XCom

        return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")


class LakeDatalakeLink(_XComLink):
    """To the datalake that a task works on."""

    name = "Datalake"


class LakeDataLink(_XComLink):
    """To the data that a task brings in, or works on."""

    name = "Data in the lake"


class LakeJobLink(_XComLink):
    """To the job that a task has started, or waits for."""

    name = "Job in the lake"


def show_datalake(datalake: "Datalake") -> None:
    """Let the running task link to its datalake."""
    pattern = configuration.url_pattern("datalake_url", configuration.DATALAKE_URL)
    _show(LakeDatalakeLink, pattern, **_url_fields(datalake))


def show_data(
    datalake: "Datalake", tags: Sequence[str] = (), query: str | None = None, *, intersect_tags: bool = False
) -> None:
    """Let the running task link to its data: those that match the query and carry one of the tags, or all of them."""
    from airflow_provider_lake.client.listing.selection import Selection

    if intersect_tags:
        query, tags = Selection(tags=tags, intersect_tags=True, q=query).query, ()
    selection = urlencode([*(("tag", tag) for tag in tags), *([("q", query)] if query else [])], quote_via=quote)
    if not selection:
        # Airflow complains in the task's log of a link that nothing was said of.
        _push_xcom(LakeDataLink, "")
        return
    pattern = configuration.url_pattern("data_url", configuration.DATA_URL)
    _show(LakeDataLink, pattern, **_url_fields(datalake), selection=selection)


def show_job(client: "Client", job_id: str) -> None:
    """Let the running task link to its job."""
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
        # No task should fail for a link.
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
