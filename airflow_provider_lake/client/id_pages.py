"""Ids of data, page by page in the order of creation, with their count: the cheapest look at a datalake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from airflow_provider_lake.client.http import Params, Session
from airflow_provider_lake.client.paging import PAGE_SIZE
from airflow_provider_lake.client.selection import ANY_STATE_AND_TYPE

ANY_STATUS: Sequence[str] = tuple(ANY_STATE_AND_TYPE["upload_statuses"])
UNFINISHED: Sequence[str] = ("PENDING", "COMPUTING")
FINISHED: Sequence[str] = ("DONE",)


@dataclass(frozen=True, slots=True)
class IdQuestion:
    """Which ids are asked for.

    :param q: a query in the lake's language; None: any data.
    :param statuses: upload statuses that are meant.
    :param cursor: of an earlier page; what comes behind it is meant.
    :param limit: at most so many.
    :param offset: how many to skip.
    """

    q: str | None = None
    statuses: Sequence[str] = ANY_STATUS
    cursor: str | None = None
    limit: int = PAGE_SIZE
    offset: int | None = None

    @property
    def params(self) -> Params:
        """The question as a query string's arguments."""
        asked = [("limit", self.limit), ("offset", self.offset), ("q", self.q), ("cursor", self.cursor)]
        statuses = [("upload_statuses", status) for status in self.statuses]
        return [*asked, *statuses, *(("types", kind) for kind in ANY_STATE_AND_TYPE["types"])]


@dataclass(frozen=True, slots=True)
class IdPage:
    """One page of ids.

    :param count: of all data that are meant, wherever the page is.
    :param next_cursor: behind which the next page begins; None: this is the last one.
    """

    ids: Sequence[str]
    count: int
    next_cursor: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        """Make the page of what the lake answered."""
        return cls([str(each) for each in json["items"]], json["count"], json.get("next_cursor"))


def read_ids(session: Session, datalake_id: UUID, question: IdQuestion) -> IdPage:
    """Ask for one page of ids."""
    path = f"/api/datalake/{datalake_id}/datas/ids/paginated"
    return IdPage.from_json(session.request("GET", path, params=question.params))


def count_data(session: Session, datalake_id: UUID, q: str | None, statuses: Sequence[str] = FINISHED) -> int:
    """Count the data that a query means."""
    return read_ids(session, datalake_id, IdQuestion(q, statuses, limit=1)).count


def filter_ids(
    session: Session, datalake_id: UUID, ids: Sequence[str], q: str | None, statuses: Sequence[str]
) -> list[str]:
    """Return those of some data that a query means.

    :param ids: at most 1,000.
    """
    if not ids:
        return []
    body = {"ids": list(ids), "upload_statuses": list(statuses), "types": ANY_STATE_AND_TYPE["types"]}
    page = session.request("XGET", f"/api/datalake/{datalake_id}/datas", json=body | ({"q": q} if q else {}))
    return [str(item["id"]) for item in page["items"]]
