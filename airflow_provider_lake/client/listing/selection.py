"""A selection of data in a datalake, and the requests for it."""

import json as jsonlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from airflow_provider_lake.client.arguments import (
    read_list,
    read_optional_list,
    read_optional_number,
    read_optional_value,
)
from airflow_provider_lake.client.errors import UsageError
from airflow_provider_lake.client.listing.rows import RowReader, decode_page
from airflow_provider_lake.client.resources.base import parse_id
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transport.fields import page_items
from airflow_provider_lake.client.transport.paging import PAGE_SIZE, chunks, iter_by_cursor, iter_by_offset
from airflow_provider_lake.client.transport.session import QueryParams, Session

# Every state and type: the reference client sends them with each request.
ANY_STATE_AND_TYPE = {
    "upload_statuses": ["PENDING", "COMPUTING", "DONE", "ERROR"],
    "types": ["IMAGE", "VIDEO"],
}
ANY_STATE_AND_TYPE_PARAMS = [(name, value) for name, values in ANY_STATE_AND_TYPE.items() for value in values]
_OR = re.compile(r"\bor\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Selection:
    """The data of a datalake that match all given criteria.

    At most one of ``ids``, ``object_names`` and ``filenames`` is given.

    :param limit: maximum number of data.
    :param offset: number of data to skip.
    :param order_by: fields, with a ``-`` prefix for descending order.
    :param tags: names of tags; data that have at least one of them.
    :param intersect_tags: data that have all of the tags instead.
    :param q: a query in the lake's language.
    :param custom_metadata: keys with the values they must have.
    """

    limit: int | None = None
    offset: int | None = None
    order_by: Sequence[str] = ()
    tags: Sequence[str] = ()
    intersect_tags: bool = False
    q: str | None = None
    custom_metadata: Mapping[str, Any] | None = None
    ids: Sequence[str] | None = None
    filenames: Sequence[str] | None = None
    object_names: Sequence[str] | None = None

    def __str__(self) -> str:
        """Describe the selection in words: ``one of the tags 'gate', 'yard' and query 'meta.width > 9'``."""
        kind, names = self.name_list or ("", [])
        several = "all of the tags" if self.intersect_tags else "one of the tags"
        reported = [
            f"{several if len(self.tags) > 1 else 'tag'} {_listed(self.tags)}" if self.tags else "",
            f"{kind.replace('_', ' ')} {_listed(names) or '(none given)'}" if kind else "",
            f"query {_brief(self.q)}" if self.q else "",
            f"custom metadata {_brief(self.custom_metadata)}" if self.custom_metadata else "",
        ]
        behind = f" after the first {self.offset}" if self.offset else ""
        return (" and ".join(filter(None, reported)) or "anything") + behind

    @property
    def query(self) -> str | None:
        """The query that combines ``q`` and the tags."""
        if not self.tags:
            return self.q
        names = [jsonlib.dumps(name, ensure_ascii=False) for name in self.tags]
        if self.intersect_tags:
            tagged = " and ".join(f"tags.name = {name}" for name in names)
        else:
            tagged = f"tags.name in ({','.join(names)})"
        if not self.q:
            return tagged
        # `and` binds closer than `or`.
        return f"({self.q}) and {tagged}" if _OR.search(self.q) else f"{self.q} and {tagged}"

    @property
    def is_by_query(self) -> bool:
        """Whether only ``q`` and the tags select the data; every route of the lake accepts such a selection."""
        return self.name_list is None and self.custom_metadata is None

    @property
    def name_list(self) -> tuple[str, list[str]] | None:
        """The kind of names that select the data, and the distinct names; None: no names are given."""
        for kind in ("ids", "object_names", "filenames"):
            names = getattr(self, kind)
            if names is not None:
                return kind, list(dict.fromkeys(names))
        return None


def make_selection(
    limit: int | None,
    offset: int | None,
    order_by: Sequence[str] | None,
    tags: str | Tag | Iterable[str | Tag] | None,
    filenames: Iterable[str] | None,
    intersect_tags: bool | None,
    object_names: Iterable[str] | None,
    q: str | None,
    ids: Iterable[str | UUID] | None,
    custom_metadata: Mapping[str, Any] | None,
) -> Selection:
    """Make a selection from the arguments that a user passes.

    :raises UsageError: they contradict each other, or an id is invalid.
    """
    names = {
        "ids": None if ids is None else [str(parse_id(data_id)) for data_id in read_list("ids", ids, str, UUID)],
        "object_names": read_optional_list("object_names", object_names, str),
        "filenames": read_optional_list("filenames", filenames, str),
    }
    given = [name for name, values in names.items() if values is not None]
    if len(given) > 1:
        raise UsageError(f"give only one of {' and '.join(given)}")
    return Selection(
        limit=read_optional_number("limit", limit),
        offset=read_optional_number("offset", offset),
        order_by=tuple(read_optional_list("order_by", order_by, str) or ()),
        tags=tuple(_names_of(tags)),
        intersect_tags=bool(intersect_tags),
        q=read_optional_value("q", q, str) or None,
        custom_metadata=read_optional_value("custom_metadata", custom_metadata, Mapping),
        **names,
    )


def _names_of(tags: str | Tag | Iterable[str | Tag] | None) -> list[str]:
    """Return the names of tags that are given by name or as records."""
    several: list[str | Tag] = read_optional_list("tags", tags, str, Tag) or []
    return [tag.name if isinstance(tag, Tag) else tag for tag in several]


def select(session: Session, datalake_id: UUID, selection: Selection) -> Iterator[Data]:
    """Yield the data of a selection; pages are requested as needed."""
    path = f"/api/datalake/{datalake_id}/datas"
    custom = selection.custom_metadata
    custom_text = None if custom is None else jsonlib.dumps(custom, separators=(",", ":"), ensure_ascii=False)
    order = [("order_by", field) for field in selection.order_by]
    pages = RowReader(session, datalake_id)

    def fetch(page: QueryParams) -> Any:
        before = [("custom_metadata", custom_text), ("q", selection.query)]
        params = [*before, *page, *order, *ANY_STATE_AND_TYPE_PARAMS]
        return pages.read(session.request("GET", path, params=params, decoder=decode_page))

    def fetch_named(body: Mapping[str, Any]) -> Any:
        params = [("custom_metadata", custom_text), *order]
        return pages.read(session.request("XGET", path, params=params, json=body, decoder=decode_page))

    if selection.name_list is not None:
        start = selection.offset or 0
        end = None if selection.limit is None else start + selection.limit
        return islice(_select_named(fetch_named, selection), start, end)
    if order:
        return iter_by_offset(fetch, selection.limit, selection.offset or 0)
    return iter_by_cursor(fetch, selection.limit, selection.offset)


def refresh_data(data: Iterable[Data]) -> Iterator[Data]:
    """Read data of one datalake again, without those that were deleted meanwhile."""
    known = list(data)
    if known:
        selection = Selection(ids=[str(each.id) for each in known])
        yield from select(known[0].session, known[0].datalake_id, selection)


def _select_named(fetch: Callable[[Mapping[str, Any]], Any], selection: Selection) -> Iterator[Any]:
    kind, names = selection.name_list or ("", [])
    if selection.order_by and len(names) > PAGE_SIZE:
        raise UsageError(f"order_by works for at most {PAGE_SIZE} {kind}; {len(names)} are given")
    query = {} if selection.query is None else {"q": selection.query}
    for chunk in chunks(names):
        body = {kind: chunk} | query | ANY_STATE_AND_TYPE
        yield from page_items(fetch(body))


def _listed(names: Sequence[str]) -> str:
    """Return names for a message, only the first few of many."""
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - about what one reads


def _brief(value: Any) -> str:
    """Return a value for a message, truncated when it is long."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - about what one reads
