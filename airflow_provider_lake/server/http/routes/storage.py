"""The lake's own object storage: uploads and downloads by presigned URLs, without a token."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import BinaryIO
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from airflow_provider_lake.media.kinds import content_type_of
from airflow_provider_lake.server.blobs.base import MAX_PART_BYTES
from airflow_provider_lake.server.blobs.folder import FolderStore
from airflow_provider_lake.server.blobs.form import FormReader
from airflow_provider_lake.server.blobs.incoming import IncomingFile
from airflow_provider_lake.server.blobs.names import split_key
from airflow_provider_lake.server.blobs.signing import FormPolicy
from airflow_provider_lake.server.context import Lake
from airflow_provider_lake.server.errors import ApiError, BadRequestError, ConflictError, NotFoundError, TooLargeError
from airflow_provider_lake.server.http.dependencies import LakeDep
from airflow_provider_lake.server.http.routes.ranges import RangeError, read_range
from airflow_provider_lake.server.store.queries import uploads

_RECEIVED_BLOCK = 1 << 20
_SENT_BLOCK = 1 << 18
_MAX_DRAINED = 64 << 20

router = APIRouter()


@router.post("/storage/form", status_code=204)
async def upload_form(request: Request, lake: LakeDep) -> Response:
    """Store one object by a presigned form, whose last part is the file."""
    store = _folder(lake)
    policies: list[FormPolicy] = []
    with store.incoming() as incoming:

        def begin_file(fields: dict[str, str]) -> tuple[IncomingFile, int]:
            policies.append(lake.signer.check_form(fields))
            return incoming, policies[0].max_bytes

        form = FormReader(request.headers.get("content-type", ""), begin_file)
        await _receive(request, form.feed)
        form.finish()
        incoming.finish()
        prefix, object_name = split_key(policies[0].object_name)
        await asyncio.to_thread(store.with_prefix(prefix).publish, incoming.path, object_name)
    return Response(status_code=204, headers={"ETag": incoming.etag})


@router.put("/storage/parts/{upload_id}/{number}")
async def upload_part(
    request: Request, lake: LakeDep, upload_id: UUID, number: int, max_bytes: int = MAX_PART_BYTES
) -> Response:
    """Store one part of a multipart upload; completing the upload needs its ETag."""
    _check_signature(lake, "PUT", request)
    await asyncio.to_thread(_check_upload, lake, upload_id)
    store = _folder(lake)
    with store.incoming(str(upload_id)) as incoming:

        def write(data: bytes) -> None:
            if incoming.size + len(data) > max_bytes:
                raise TooLargeError(f"the part is larger than the {max_bytes} bytes that were signed for")
            incoming.write(data)

        await _receive(request, write)
        incoming.finish()
        await asyncio.to_thread(store.save_part, incoming.path, str(upload_id), number)
    return Response(headers={"ETag": incoming.etag})


@router.head("/storage/objects/{object_name:path}", include_in_schema=False)
@router.get("/storage/objects/{object_name:path}")
def download(request: Request, lake: LakeDep, object_name: str) -> Response:
    """Return an object's bytes, or the requested range of them."""
    _check_signature(lake, "GET", request)
    try:
        prefix, name = split_key(object_name)
        file = _folder(lake).with_prefix(prefix).open(name)
    except FileNotFoundError:
        raise NotFoundError(f"no object {object_name!r}") from None
    found = os.fstat(file.fileno())
    try:
        wanted = read_range(request.headers.get("range"), found.st_size)
    except RangeError as error:
        file.close()
        return JSONResponse({"message": str(error)}, 416, {"Content-Range": f"bytes */{found.st_size}"})
    first, last = wanted or (0, found.st_size - 1)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(last - first + 1),
        "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        # A browser must not run an uploaded file as if it were one of the lake's own pages.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last}/{found.st_size}"
    content_type = content_type_of(object_name)
    status = 206 if wanted else 200
    if request.method == "HEAD":
        file.close()
        return Response(status_code=status, headers=headers, media_type=content_type)
    file.seek(first)
    return StreamingResponse(_read_blocks(file, last - first + 1), status, headers, content_type)


def _check_signature(lake: Lake, method: str, request: Request) -> None:
    # Not the path of request.url: that one ends at a ? or # in an object's name.
    lake.signer.check_url(method, request.scope["path"], request.query_params)


async def _receive(request: Request, write: Callable[[bytes], None]) -> None:
    """Pass the body on in blocks, each in a thread, so that a slow disk does not block other requests."""
    block = bytearray()
    stream = request.stream()
    try:
        async for data in stream:
            block += data
            if len(block) >= _RECEIVED_BLOCK:
                await asyncio.to_thread(write, bytes(block))
                block.clear()
        await asyncio.to_thread(write, bytes(block))
    except ClientDisconnect:
        raise BadRequestError("the body was cut off before its end") from None
    except (OSError, ApiError):
        await _drain(stream)
        raise


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Read the rest of a rejected body, because a client that still sends does not read the response; up to a limit."""
    left = _MAX_DRAINED
    with suppress(ClientDisconnect):
        async for data in stream:
            left -= len(data)
            if left < 0:
                return


def _read_blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    with file:
        while size > 0 and (block := file.read(min(_SENT_BLOCK, size))):
            size -= len(block)
            yield block


def _check_upload(lake: Lake, upload_id: UUID) -> None:
    with lake.database.reading() as session:
        if uploads.get_upload(session, upload_id).completed_at is not None:
            raise ConflictError(f"the upload {upload_id} is complete: it takes no more parts")


def _folder(lake: Lake) -> FolderStore:
    if not isinstance(lake.stores.root, FolderStore):
        raise NotFoundError("the objects of this lake lie elsewhere")
    return lake.stores.root
