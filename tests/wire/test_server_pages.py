"""The pages for people as a server's answers; `tests/e2e/test_lake_pages.py` looks at them in a browser."""

import re
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from PIL import Image

from tests.lake_process import LakeProcess
from tests.wire.job_calls import finished, wait_for
from tests.wire.lake_api import LakeApi

PAGES = Path(__file__).resolve().parents[2] / "airflow_provider_lake" / "server" / "http" / "pages"
LAKE = "5b2d8a2e-6f5f-4a43-8f0f-2b1f4c3f0a11"


def _jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    "path", ["/datalake", f"/datalake/{LAKE}", f"/datalake/{LAKE}/data/{LAKE}", "/jobs", f"/job/{LAKE}"]
)
def test_a_page_needs_no_token_and_allows_nothing_foreign(lake: LakeProcess, path: str) -> None:
    """It holds no data; scripts come from the lake's own files alone, and nobody may frame it."""
    answer = requests.get(f"{lake.url}{path}", timeout=30)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert lake.token not in answer.text


def test_the_root_leads_to_the_default_datalake(lake: LakeProcess) -> None:
    """Whoever opens the address that `lake serve` prints gets there."""
    assert requests.get(lake.url, timeout=30).url == f"{lake.url}/datalake"


def test_every_file_of_the_pages_is_served_with_its_type(lake: LakeProcess) -> None:
    """And has no script or style within its markup, which the policy would not run."""
    for file in PAGES.iterdir():
        answer = requests.get(f"{lake.url}/pages/{file.name}", timeout=30)
        assert answer.content == file.read_bytes()
        assert answer.headers["Content-Type"].startswith(("text/html", "text/css", "text/javascript", "image/svg+xml"))
    page = (PAGES / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page) == []


def test_no_script_of_the_pages_parses_markup() -> None:
    """Names become text: none of the ways from a string to elements is used."""
    ways = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|srcdoc")

    assert {file.name for file in PAGES.glob("*.js") if ways.search(file.read_text())} == set()


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2Fapp.py", "%2e%2e/app.py", "..%2F..%2Fget_provider_info.py", "app"]
)
def test_only_files_of_the_pages_are_served(lake: LakeProcess, name: str) -> None:
    """Whatever the name looks like."""
    answer = requests.get(f"{lake.url}/pages/{name}", timeout=30)

    assert (answer.status_code, "message" in answer.json()) == (404, True)


def test_what_was_uploaded_cannot_act_as_a_page_of_the_lake(api: LakeApi) -> None:
    """A browser that opens an uploaded HTML file runs none of its scripts, and never as the lake's own."""
    name = api.upload("page.html", b"<script>document.title = sessionStorage.length</script>", "text/html")
    data = api.register("page.html", name, content_type="text/html").json()

    answer = requests.get(data["presigned_url"], timeout=30)

    assert "sandbox" in answer.headers["Content-Security-Policy"].split("; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_thumbnails_of_several_data_are_signed_at_once(api: LakeApi) -> None:
    """Data without one are left out, and so are data of elsewhere."""
    data = [api.register("a.jpg", api.upload("a.jpg", _jpeg())).json()["id"] for _ in range(2)]
    path = f"/api/datalake/{api.datalake}/thumbnails"

    def both() -> dict[str, str]:
        items: dict[str, str] = api.get(path, params={"id": [*data, str(uuid4())]}).json()["items"]
        return items if len(items) == 2 else {}

    found = wait_for(both)

    assert set(found) == set(data)
    with Image.open(BytesIO(requests.get(found[data[0]], timeout=30).content)) as image:
        assert image.format == "JPEG"
    assert api.get(path).status_code == 422


def test_jobs_are_listed_newest_first_in_pages(own_lake: LakeProcess) -> None:
    """Each with its datalake; one alone by its id, and none of an organization of somebody else."""
    api = LakeApi(own_lake)
    started = []
    for _ in range(3):
        answer = api.post(f"/api/datalake/{api.datalake}/objects", {"prefixes": ["none/"], "tag_ids": []})
        started.append(answer.json()["job"]["id"])
        finished(api, started[-1])
    path = f"/api/organization/{api.organization}/jobs"

    first = api.get(path, params={"limit": 2}).json()
    second = api.get(path, params={"limit": 2, "offset": 2}).json()
    alone = api.get(path, params={"id": started[1]}).json()

    assert [job["id"] for job in first["items"] + second["items"]] == started[::-1]
    assert first["count"] == second["count"] == 3
    assert (alone["count"], alone["items"][0]["datalake_id"]) == (1, api.datalake)
    assert api.get(f"/api/organization/{uuid4()}/jobs").status_code == 404
