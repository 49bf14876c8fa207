"""The embedded lake's pages, looked at in a real browser."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Data, MultiData
from tests.e2e.browser import EXECUTABLE, WHY_NO_BROWSER, open_page, take_picture
from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.job_calls import wait_for

# A browser is no Python package: where it cannot be installed, nothing else shows the pages.
pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason=WHY_NO_BROWSER)

MARKUP = "<img src=x onerror=alert(1)>"
MARKUP_TAG = '<b>bold</b> "quoted" & more'


@pytest.fixture(scope="module")
def own_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LakeProcess]:
    """Run a lake for these tests alone."""
    with LakeProcess(tmp_path_factory.mktemp("pages") / "data", is_preloaded=True) as process:
        yield process


@pytest.fixture(scope="module")
def photos(own_lake: LakeProcess, tmp_path_factory: pytest.TempPathFactory) -> MultiData:
    """Fill the lake: photos with EXIF, many small ones, and one whose names look like markup."""
    folder = tmp_path_factory.mktemp("photos")
    datalake = own_lake.client().get_datalake()
    data = datalake.upload_data(make_photos(folder, 12), tags=["valley"], source="field camera", fill_metadata=True)
    small = [folder / f"small-{number:03d}.png" for number in range(70)]
    for number, path in enumerate(small):
        Image.new("RGB", (8, 8), (3 * number, 90, 120)).save(path)
    datalake.upload_data(small, tags=["small"])
    odd = folder / f"{MARKUP}.png"
    odd.write_bytes(small[0].read_bytes())
    datalake.upload_data(odd, tags=[MARKUP_TAG])
    assert isinstance(data, MultiData)
    return data


@pytest.fixture
def page(own_lake: LakeProcess, photos: MultiData, browser: Browser) -> Iterator[Page]:
    """Open the lake in a browser, with its token."""
    assert len(photos) == 12
    with open_page(browser) as opened:
        opened.goto(own_lake.url)
        _give_token(opened, own_lake.token)
        expect(opened.get_by_role("heading", name="default")).to_be_visible()
        yield opened


def _give_token(page: Page, token: str) -> None:
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Open the lake").click()


@pytest.mark.usefixtures("photos")
def test_the_token_is_asked_for_once_and_forgotten_when_told(own_lake: LakeProcess, browser: Browser) -> None:
    """A wrong one is refused; the right one opens this page and the next, and stays out of every address."""
    with open_page(browser) as page:
        page.goto(f"{own_lake.url}/jobs")
        _give_token(page, "wrong")
        expect(page.get_by_role("alert")).to_have_text("The lake does not know this token.")
        _give_token(page, own_lake.token)
        expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
        page.goto(f"{own_lake.url}/datalake")
        expect(page.locator(".tile").first).to_be_visible()
        assert own_lake.token not in page.url
        assert page.evaluate("document.cookie + JSON.stringify(localStorage)") == "{}"
        page.get_by_role("button", name="Forget token").click()
        page.reload()
        expect(page.get_by_label("API token")).to_be_visible()


def test_a_datalake_shows_its_data_page_by_page(page: Page) -> None:
    """With the count of all; the next page goes on where this one ends, and the browser's back goes back."""
    expect(page.get_by_text("83 data items")).to_be_visible()
    assert page.locator(".tile").count() == 60
    first = page.locator(".tile .name").first.inner_text()

    page.get_by_role("link", name="Next page").click()

    expect(page.get_by_text("61 to 83 of 83")).to_be_visible()
    assert page.locator(".tile").count() == 23
    page.go_back()
    expect(page.locator(".tile .name").first).to_have_text(first)


def test_tags_and_a_query_select_and_stand_in_the_address(page: Page) -> None:
    """So that whoever gets the address sees the same; a query that cannot be read is explained."""
    page.get_by_label("Add a tag").select_option("valley")
    expect(page.get_by_text("12 data items")).to_be_visible()
    page.get_by_label("Query").fill('filename ~ "gate" or filename ~ "mast"')
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("8 data items")).to_be_visible()
    expect(page.locator(".tile img")).to_have_count(8)
    page.reload()
    expect(page.get_by_text("8 data items")).to_be_visible()
    page.get_by_title("Without the tag valley").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.get_by_label("Query").fill("filename = = 3")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_contain_text("column")


def test_names_that_look_like_markup_are_shown_as_they_are(page: Page) -> None:
    """In the grid, among the tags, on the page of the data; the page's address alone finds them by their tag."""
    page.get_by_label("Add a tag").select_option(MARKUP_TAG)
    expect(page.get_by_text("1 data item", exact=True)).to_be_visible()
    expect(page.locator(".chip")).to_contain_text(MARKUP_TAG)

    page.get_by_title(f"{MARKUP}.png").click()

    expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
    expect(page.locator("aside .chip")).to_have_text(MARKUP_TAG)
    assert page.locator("aside b, h1 img").count() == 0


def test_a_data_shows_everything_that_is_known_about_it(page: Page, tmp_path: Path) -> None:
    """Its picture, size, source, EXIF and projections; its tags lead back to the data that share them."""
    page.get_by_label("Add a tag").select_option("valley")
    expect(page.get_by_text("12 data items")).to_be_visible()
    for picture in page.locator(".tile img").all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    take_picture(page, tmp_path, "lake-datalake")
    page.get_by_title("field-7-0006.jpg").click()

    expect(page.get_by_text(re.compile("^1280 . 960 pixels$"))).to_be_visible()
    expect(page.get_by_text("Northlight", exact=True)).to_be_visible()
    expect(page.get_by_text("thumbnail", exact=True)).to_be_visible()
    expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 1280)
    take_picture(page, tmp_path, "lake-data")
    page.get_by_role("link", name="field camera").click()
    expect(page.get_by_text("12 data items")).to_be_visible()


def test_a_video_shows_its_first_picture_and_what_is_known_of_it(
    page: Page, own_lake: LakeProcess, tmp_path: Path
) -> None:
    """In the grid its thumbnail; on its own page length, pictures and codec, and the thumbnail until it is played."""
    path = tmp_path / "turned.mp4"
    path.write_bytes(make_video(size=(320, 240), rotation=90))
    data = own_lake.client().get_datalake().upload_data(path, tags=["film"])
    assert isinstance(data, Data)
    wait_for(data.list_projections)
    page.reload()

    page.get_by_label("Add a tag").select_option("film")
    expect(page.get_by_text("1 data item", exact=True)).to_be_visible()
    expect(page.locator(".tile img")).to_have_js_property("naturalWidth", 240)
    page.get_by_title("turned.mp4").click()

    expect(page.get_by_text(re.compile("^240 . 320 pixels$"))).to_be_visible()
    expect(page.get_by_text("2 s", exact=True)).to_be_visible()
    expect(page.get_by_text("10 a second, mpeg4", exact=True)).to_be_visible()
    expect(page.locator(".stage video")).to_have_attribute("poster", re.compile("thumbnail"))


def test_a_job_is_followed_while_it_runs(page: Page, own_lake: LakeProcess, photos: MultiData, tmp_path: Path) -> None:
    """Its state and its log change on the page without anybody doing anything."""
    end = tmp_path / "end"
    program = (
        "import os, sys, time\n"
        "print('counting the colors of <b>12</b> photos', flush=True)\n"
        "while not os.path.exists(sys.argv[1]): time.sleep(0.1)\n"
        "for number in range(12): print(f'photo {number + 1} of 12: {40 + 7 * number % 13} colors')"
    )
    command = [sys.executable, "-c", program, str(end)]
    assert main(["processing", "register", "--data-dir", str(own_lake.data_dir), "count colors", "--", *command]) == 0
    client = own_lake.client()
    job = client.get_datalake().launch_processing(client.get_processing("count colors"), photos, {"palette": 64})
    page.get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name="count colors").click()
    expect(page.locator(".log")).to_contain_text("the colors of <b>12</b> photos")
    expect(page.locator(".badge")).to_have_text("RUNNING")

    end.touch()

    expect(page.locator(".badge")).to_have_text("SUCCEEDED")
    expect(page.locator(".log")).to_contain_text("photo 12 of 12")
    assert page.url == f"{own_lake.url}/job/{job.id}"
    take_picture(page, tmp_path, "lake-job")
