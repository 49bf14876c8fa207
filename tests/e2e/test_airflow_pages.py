"""What Airflow's own pages show of this provider, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.airflow_stack import AirflowStack
from tests.e2e.browser import EXECUTABLE, WHY_NO_BROWSER, open_page, take_picture
from tests.e2e.held_job import hold_job
from tests.lake_process import LakeProcess

# A browser is no Python package: where it cannot be installed, nothing else shows the pages.
pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason=WHY_NO_BROWSER)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page."""
    with open_page(browser) as opened:
        yield opened


def test_the_connection_form_shows_our_fields(airflow: AirflowStack, page: Page, tmp_path: Path) -> None:
    """Choosing the type *Lake* relabels Airflow's own fields, hides what is not used, and adds ours."""
    page.goto(f"{airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").first.click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill("lake_default")
    form.get_by_role("combobox").click()
    page.keyboard.type("Lake")
    page.get_by_role("option", name="Lake", exact=True).click()

    expect(form.get_by_text("API token")).to_be_visible()
    expect(form.get_by_placeholder("https://app.picsellia.com")).to_be_visible()
    expect(form.locator("input[name=login]")).to_have_count(0)
    form.get_by_role("button", name=re.compile("Extra Fields$")).click()
    for label in ("Organization id", "Organization name", "Datalake", "Verify TLS certificates", "Timeout (seconds)"):
        expect(form.get_by_text(label, exact=True)).to_be_visible()
    form.get_by_text("Organization name", exact=True).scroll_into_view_if_needed()
    take_picture(page, tmp_path, "airflow-connection")


def test_the_details_of_a_task_link_to_the_lake(
    airflow: AirflowStack, lake: LakeProcess, page: Page, tmp_path: Path
) -> None:
    """The link to the data opens the lake's own page, with just the data of the task."""
    held = hold_job(lake, tmp_path, "details of a task")
    held.end()
    run = airflow.run_dag("lake_links_here", {"processing": held.processing, "tag": held.tag})
    assert run["state"] == "success", airflow.log(run, "launch")

    page.goto(f"{airflow.url}/dags/{run['dag_id']}/runs/{run['dag_run_id']}/tasks/launch/details")
    for name in ("Datalake", "Data in the lake", "Job in the lake"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    take_picture(page, tmp_path, "airflow-links")
    page.goto(str(page.get_by_role("link", name="Data in the lake").get_attribute("href")))
    page.get_by_label("API token").fill(lake.token)
    page.get_by_role("button", name="Open the lake").click()

    expect(page.get_by_text("1 data item", exact=True)).to_be_visible()
    expect(page.locator(".chip")).to_contain_text(held.tag)
