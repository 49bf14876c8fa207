"""Registers stored objects as data, many in one transaction, with few statements for all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ApiError, BadRequestError, UnauthorizedError
from airflow_provider_lake.server.row_ids import new_id
from airflow_provider_lake.server.store.queries import imports, tokens
from airflow_provider_lake.server.store.queries.custom_metadata import get_schema
from airflow_provider_lake.server.store.queries.listing import DESCRIBED, Listing, Named, list_ordered
from airflow_provider_lake.server.store.queries.selection import Selection
from airflow_provider_lake.server.store.states import UploadStatus
from airflow_provider_lake.server.store.tables import Tag, utc_now

_TAGS = select(Tag.id, Tag.name).where(
    Tag.datalake_id == bindparam("datalake"), Tag.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A request to register a stored object as data.

    :param token_sha256: digest of the caller's token, which was valid when the request was authenticated.
    :param values: values of the data's columns.
    """

    token_sha256: str
    organization_id: UUID
    datalake_id: UUID
    values: Mapping[str, Any]
    tag_ids: Sequence[UUID]

    @property
    def object_name(self) -> str:
        """Name of the object."""
        return str(self.values["object_name"])


@dataclass(frozen=True, slots=True)
class Registered:
    """The data of an object.

    :param listing: a listing of only that data.
    :param is_new: whether this registration made it.
    """

    listing: Listing
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Links:
    """The tags and sources in registrations that exist in their datalake."""

    tags: Mapping[UUID, Named]
    sources: Mapping[UUID, Named]


Outcome = Registered | ApiError


def register(session: Session, wanted: Sequence[Registration]) -> list[Outcome]:
    """Register objects as data; if a datalake has an object already, its data is returned unchanged.

    :return: for each registration, in their order, its data or the error.
    """
    outcomes: dict[int, Outcome] = {}
    known = tokens.known_digests(session, {each.token_sha256 for each in wanted})
    by_datalake: dict[UUID, dict[int, Registration]] = defaultdict(dict)
    for place, each in enumerate(wanted):
        if each.token_sha256 in known:
            by_datalake[each.datalake_id][place] = each
        else:
            # The token was revoked after it was checked.
            outcomes[place] = UnauthorizedError("this lake does not know the API token")
    for datalake_id, asked in by_datalake.items():
        outcomes |= _register(session, datalake_id, asked)
    return [outcomes[place] for place in range(len(wanted))]


def _register(session: Session, datalake_id: UUID, asked: Mapping[int, Registration]) -> dict[int, Outcome]:
    """Register in one datalake; return the outcomes by position in the batch."""
    links = _load_links(session, datalake_id, asked.values())
    outcomes: dict[int, Outcome] = dict(_errors(session, datalake_id, asked, links))
    rows = {place: _row(datalake_id, each) for place, each in asked.items() if place not in outcomes}
    if not rows:
        return outcomes
    tags = [(row["id"], tag_id) for place, row in rows.items() for tag_id in asked[place].tag_ids]
    new = imports.add_data(session, list(rows.values()), tags)
    made = {place: row for place, row in rows.items() if row["id"] in new}
    outcomes |= {place: Registered(_listing(row, asked[place], links), True) for place, row in made.items()}
    return outcomes | _existing(session, datalake_id, {place: asked[place] for place in rows.keys() - made})


def _load_links(session: Session, datalake_id: UUID, asked: Iterable[Registration]) -> _Links:
    tag_ids = {tag_id for each in asked for tag_id in each.tag_ids}
    found = session.connection().execute(_TAGS, {"datalake": datalake_id, "ids": list(tag_ids)}) if tag_ids else ()
    tags = {tag_id: Named(str(tag_id), name) for tag_id, name in found}
    sources = imports.existing_sources(session, datalake_id, {each.values["data_source_id"] for each in asked} - {None})
    return _Links(tags, {source_id: Named(str(source_id), name) for source_id, name in sources.items()})


def _errors(
    session: Session, datalake_id: UUID, asked: Mapping[int, Registration], links: _Links
) -> Iterable[tuple[int, BadRequestError]]:
    """Yield the position and error of each registration that the datalake does not accept."""
    schema = get_schema(session, datalake_id)
    for place, each in asked.items():
        try:
            schema.check(each.values["custom_metadata"])
            _check_links(each, links)
        except BadRequestError as error:
            yield place, error


def _check_links(registration: Registration, links: _Links) -> None:
    for tag_id in registration.tag_ids:
        if tag_id not in links.tags:
            raise BadRequestError(f"no tag with id {tag_id}")
    source_id = registration.values["data_source_id"]
    if source_id is not None and source_id not in links.sources:
        raise BadRequestError(f"no data source with id {source_id}")


def _row(datalake_id: UUID, registration: Registration) -> dict[str, Any]:
    return {
        "id": new_id(),
        "datalake_id": datalake_id,
        "upload_status": UploadStatus.PENDING,
        "upload_error": None,
        "created_at": utc_now(),
        "duration": None,
        "frame_rate": None,
        "codec": None,
        **registration.values,
    }


def _listing(row: Mapping[str, Any], registration: Registration, links: _Links) -> Listing:
    """Return the listing of a data that was added, without reading it again."""
    tags = sorted((links.tags[tag_id] for tag_id in registration.tag_ids), key=lambda tag: tag.name)
    source = links.sources.get(row["data_source_id"])
    read = {
        **row,
        "id": str(row["id"]),
        "metadata_": _json(row["metadata"]),
        "custom_metadata": _json(row["custom_metadata"]),
    }
    described = (0, source and source.id, *(read[name] for name in DESCRIBED))
    return Listing(
        [described], {0: [tag.id for tag in tags]}, {tag.id: tag for tag in tags}, {source.id: source} if source else {}
    )


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _existing(session: Session, datalake_id: UUID, asked: Mapping[int, Registration]) -> dict[int, Registered]:
    if not asked:
        return {}
    names = {each.object_name for each in asked.values()}
    found = list_ordered(session, Selection(datalake_id, object_names=names), (), None, 0)
    by_name = dict(zip(found.object_names, found.rows, strict=True))
    return {place: Registered(found.for_row(by_name[each.object_name]), False) for place, each in asked.items()}
