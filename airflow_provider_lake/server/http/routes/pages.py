"""The lake's web pages: static files, which call the API from the browser with a token that the user pastes there.

The pages need no token, because they contain no data.
"""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.http.dependencies import DatalakeDep, LakeDep, base_url
from airflow_provider_lake.server.store.queries import projections

_FOLDER = Path(__file__).resolve().parents[1] / "pages"
_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
_MAX_THUMBNAILS = 100

router = APIRouter()


@router.get("/", include_in_schema=False)
def redirect_to_default_datalake() -> Response:
    """Redirect to the page of the default datalake."""
    return RedirectResponse("/datalake", 307)


@router.get("/datalake", include_in_schema=False)
@router.get("/datalake/{datalake_id}", include_in_schema=False)
@router.get("/datalake/{datalake_id}/data/{data_id}", include_in_schema=False)
@router.get("/jobs", include_in_schema=False)
@router.get("/job/{job_id}", include_in_schema=False)
def show_page(lake: LakeDep, request: Request) -> Response:
    """Return the one HTML page; its script shows the view that the URL names."""
    return _file(lake, request, "index.html")


@router.get("/favicon.ico", include_in_schema=False)
def show_icon(lake: LakeDep, request: Request) -> Response:
    """Return the icon of the pages."""
    return _file(lake, request, "lake.svg")


@router.get("/pages/{name}", include_in_schema=False)
def show_file(name: str, lake: LakeDep, request: Request) -> Response:
    """Return one of the files of the pages."""
    return _file(lake, request, name)


@router.get("/api/datalake/{datalake_id}/thumbnails")
def list_thumbnails(
    datalake: DatalakeDep,
    id: Annotated[list[UUID], Query(min_length=1, max_length=_MAX_THUMBNAILS)],
    lake: LakeDep,
    request: Request,
) -> dict[str, Any]:
    """Return presigned URLs of the thumbnails of several data, by data id; data without one are left out."""
    with lake.database.reading() as session:
        found = projections.list_thumbnails(session, datalake.id, id)
    store, base = lake.stores.for_organization(datalake.organization_id), base_url(request)
    return {"items": {str(data_id): store.presign_get(name, base) for data_id, name in found}}


def _file(lake: Lake, request: Request, name: str) -> Response:
    path = _FOLDER / name
    media_type = _TYPES.get(path.suffix)
    # Only names of files in the folder are valid, so no path leads elsewhere.
    if media_type is None or name not in {file.name for file in _FOLDER.iterdir()}:
        raise NotFoundError(f"no page {name!r}")
    return FileResponse(path, media_type=media_type, headers=_headers(lake, request))


def _headers(lake: Lake, request: Request) -> dict[str, str]:
    """Return the pages' content security policy: their own files, the API, and images from the storage."""
    objects = urlsplit(lake.stores.root.presign_get("x", base_url(request)))
    media = f"'self' {objects.scheme}://{objects.netloc}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": media,
        "media-src": media,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-cache",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
