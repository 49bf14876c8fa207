"""Ids of data, in pages in order of creation, with their count: the cheapest way to poll a datalake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.listing.selection import ANY_STATE_AND_TYPE
from airflow_provider_lake.client.transport.fields import explain_shape, page_items, read_field
from airflow_provider_lake.client.transport.paging import PAGE_SIZE, iter_by_cursor
from airflow_provider_lake.client.transport.session import QueryParams, Session

ANY_STATUS: Sequence[str] = tuple(ANY_STATE_AND_TYPE["upload_statuses"])
UNFINISHED: Sequence[str] = ("PENDING", "COMPUTING")
FINISHED: Sequence[str] = ("DONE",)
_PAGE_PARAMS = frozenset({"limit", "offset", "cursor"})


@dataclass(frozen=True, slots=True)
class IdQuery:
    """Which ids are requested.

    :param q: a query in the lake's language; None: any data.
    :param statuses: data in one of these upload statuses.
    :param cursor: of an earlier page; the ids after it are requested.
    :param limit: maximum number of ids.
    :param offset: number of ids to skip.
    """

    q: str | None = None
    statuses: Sequence[str] = ANY_STATUS
    cursor: str | None = None
    limit: int = PAGE_SIZE
    offset: int | None = None

    @property
    def params(self) -> QueryParams:
        """The query as parameters of a URL."""
        asked = [("limit", self.limit), ("offset", self.offset), ("q", self.q), ("cursor", self.cursor)]
        statuses = [("upload_statuses", status) for status in self.statuses]
        return [*asked, *statuses, *(("types", kind) for kind in ANY_STATE_AND_TYPE["types"])]


@dataclass(frozen=True, slots=True)
class IdPage:
    """One page of ids.

    :param count: of all selected data, whatever the page.
    :param next_cursor: of the next page; None: this is the last one.
    """

    ids: Sequence[str]
    count: int
    next_cursor: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        """Make the page from the lake's response."""
        return cls([str(each) for each in page_items(json)], read_field(json, "count", int), json.get("next_cursor"))


def ids_path(datalake_id: UUID | str) -> str:
    """Return the path of the listing of ids."""
    return f"/api/datalake/{datalake_id}/datas/ids/paginated"


def read_id_page(session: Session, datalake_id: UUID, query: IdQuery) -> IdPage:
    """Request one page of ids."""
    return IdPage.from_json(session.request("GET", ids_path(datalake_id), params=query.params))


def iter_ids(
    session: Session, datalake_id: UUID, q: str | None, limit: int | None, offset: int | None
) -> Iterator[UUID]:
    """Yield the ids of the data that a query selects, in order of creation; pages are requested as needed.

    :param q: a query in the lake's language; None: all data.
    :param limit: maximum number of ids.
    :param offset: number of ids to skip.
    """
    rest = [(name, value) for name, value in IdQuery(q).params if name not in _PAGE_PARAMS]

    def fetch(page: QueryParams) -> Any:
        return _with_ids(session.request("GET", ids_path(datalake_id), params=[*page, *rest]))

    return iter_by_cursor(fetch, limit, offset)


@explain_shape("page of ids")
def _with_ids(page: Any) -> Any:
    return {**page, "items": [UUID(each) for each in page_items(page)]}


def ids_body(ids: Sequence[str], q: str | None, statuses: Sequence[str]) -> dict[str, Any]:
    """Return the body of a request that selects, among some data, those that match a query.

    :param ids: at most 1,000.
    """
    body = {"ids": list(ids), "upload_statuses": list(statuses), "types": ANY_STATE_AND_TYPE["types"]}
    return body | ({"q": q} if q else {})
