"""Queries of a datalake's data: one data, a list, only their ids, or their number."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from airflow_provider_lake.client.arguments import read_optional_list
from airflow_provider_lake.client.errors import BadRequestError, InvalidQueryError, NoDataError, UsageError
from airflow_provider_lake.client.listing.ids import ANY_STATUS, IdQuery, iter_ids, read_id_page
from airflow_provider_lake.client.listing.multi_data import MultiData
from airflow_provider_lake.client.listing.selection import ANY_STATE_AND_TYPE_PARAMS, Selection, make_selection, select
from airflow_provider_lake.client.resources.base import Record, parse_id
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.named_collection import NamedCollection
from airflow_provider_lake.client.resources.tags import Tag, data_tags


@dataclass(frozen=True, slots=True, eq=False)
class DataListingMixin(Record):
    """The part of a datalake that finds, lists and counts its data."""

    name: str

    def find_data(
        self, filename: str | None = None, object_name: str | None = None, id: str | UUID | None = None
    ) -> Data:
        """Return the one data that matches all given arguments.

        :raises NotFoundError: there is none.
        :raises InvalidQueryError: there are several.
        :raises UsageError: no argument is given.
        """
        given = [
            ("id", None if id is None else parse_id(id)),
            ("filename", filename),
            ("object_name", object_name),
        ]
        if filename is None and object_name is None and id is None:
            raise UsageError("give the filename, the object name or the id of the data to find")
        wanted = ", ".join(f"{name} {str(value)!r}" for name, value in given if value is not None)
        missing = f"no data with {wanted} in {self._description}"
        params = [*given, *ANY_STATE_AND_TYPE_PARAMS]
        try:
            json = self.session.find(f"{self._path}/datas/find", params, missing)
        except BadRequestError as error:
            raise InvalidQueryError(*error.args) from error
        return Data.from_json(self.session, self.id, json)

    def list_data(
        self,
        limit: int | None = None,
        offset: int | None = None,
        page_size: int | None = None,
        order_by: Sequence[str] | None = None,
        tags: str | Tag | Sequence[str | Tag] | None = None,
        filenames: Sequence[str] | None = None,
        intersect_tags: bool | None = False,
        object_names: Sequence[str] | None = None,
        q: str | None = None,
        ids: Sequence[str | UUID] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> MultiData:
        """Return the data that match all given arguments; without any, all data.

        The arguments are those of :meth:`iter_data`.

        :param page_size: deprecated by the reference, and without effect.
        :raises NoDataError: nothing matches; the message describes the selection.
        :raises InvalidQueryError: the lake cannot parse ``q``.
        """
        if page_size is not None:
            warnings.warn("page_size is deprecated: it has no effect", DeprecationWarning, stacklevel=2)
        selection = make_selection(
            limit, offset, order_by, tags, filenames, intersect_tags, object_names, q, ids, custom_metadata
        )
        data = MultiData(self._select(selection))
        if not data:
            raise self._no_data_error(selection)
        return data

    def iter_data(
        self,
        limit: int | None = None,
        offset: int | None = None,
        order_by: Sequence[str] | None = None,
        tags: str | Tag | Sequence[str | Tag] | None = None,
        filenames: Sequence[str] | None = None,
        intersect_tags: bool | None = False,
        object_names: Sequence[str] | None = None,
        q: str | None = None,
        ids: Sequence[str | UUID] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> Iterator[Data]:
        """Yield the data that match all given arguments, with one page in memory at a time; without any, all data.

        :param limit: maximum number of data.
        :param offset: number of data to skip.
        :param order_by: fields, with a ``-`` prefix for descending order.
        :param tags: data that have at least one of them; an empty list does not filter.
        :param filenames: data that have one of them; at most one of ``filenames``, ``object_names`` and ``ids``.
        :param intersect_tags: data that have all of the tags instead.
        :param object_names: data that have one of them.
        :param q: a query in the lake's language, such as ``metadata.reference ~ "XY"``.
        :param ids: data that have one of them.
        :param custom_metadata: data that have these keys with these values.
        :raises InvalidQueryError: the lake cannot parse ``q``.
        """
        selection = make_selection(
            limit, offset, order_by, tags, filenames, intersect_tags, object_names, q, ids, custom_metadata
        )
        return self._select(selection)

    def count_data(
        self,
        tags: str | Tag | Sequence[str | Tag] | None = None,
        filenames: Sequence[str] | None = None,
        intersect_tags: bool | None = False,
        object_names: Sequence[str] | None = None,
        q: str | None = None,
        ids: Sequence[str | UUID] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        *,
        upload_statuses: Sequence[str] | None = None,
    ) -> int:
        """Return the number of data that match all given arguments; without any, of all data.

        The lake counts, in one request. Data selected by names, ids or ``custom_metadata`` are read and counted here.

        :param upload_statuses: data in one of these states, such as ``DONE``; None: in any.
        :raises InvalidQueryError: the lake cannot parse ``q``.
        """
        selection = make_selection(
            None, None, None, tags, filenames, intersect_tags, object_names, q, ids, custom_metadata
        )
        statuses = read_optional_list("upload_statuses", upload_statuses, str)
        if not selection.is_by_query:
            return sum(statuses is None or data.upload_status in statuses for data in self._select(selection))
        query = IdQuery(selection.query, ANY_STATUS if statuses is None else statuses, limit=1)
        with _query_errors(selection):
            return read_id_page(self.session, self.id, query).count

    def iter_ids(
        self,
        limit: int | None = None,
        offset: int | None = None,
        order_by: Sequence[str] | None = None,
        tags: str | Tag | Sequence[str | Tag] | None = None,
        filenames: Sequence[str] | None = None,
        intersect_tags: bool | None = False,
        object_names: Sequence[str] | None = None,
        q: str | None = None,
        ids: Sequence[str | UUID] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> Iterator[UUID]:
        """Yield the ids of the data that match all given arguments, in order of creation unless ``order_by`` is set.

        The arguments and errors are those of :meth:`iter_data`. The lake sends only ids, which is the fastest way to
        list a datalake; for a selection by names, ids, ``order_by`` or ``custom_metadata`` the data are read.
        """
        selection = make_selection(
            limit, offset, order_by, tags, filenames, intersect_tags, object_names, q, ids, custom_metadata
        )
        if selection.is_by_query and not selection.order_by:
            return self._iter_ids(selection)
        return (data.id for data in self._select(selection))

    def _iter_ids(self, selection: Selection) -> Iterator[UUID]:
        with _query_errors(selection):
            yield from iter_ids(self.session, self.id, selection.query, selection.limit, selection.offset)

    @property
    def _path(self) -> str:
        return f"/api/datalake/{self.id}"

    @property
    def _description(self) -> str:
        return f"datalake {self.name!r}"

    @property
    def _tags(self) -> NamedCollection[Tag]:
        return data_tags(self.session, self.id, self._description)

    def _select(self, selection: Selection) -> Iterator[Data]:
        with _query_errors(selection):
            yield from select(self.session, self.id, selection)

    def _no_data_error(self, selection: Selection) -> NoDataError:
        """Return the error that describes the selection, and lists those of its tags that do not exist."""
        return NoDataError(f"{self._description} has no data for {selection}{self._tags.suggest(selection.tags)}")


@contextmanager
def _query_errors(selection: Selection) -> Iterator[None]:
    """Convert the lake's refusal of a user's query to :class:`InvalidQueryError`."""
    try:
        yield
    except BadRequestError as error:
        if selection.q is None:
            raise
        raise InvalidQueryError(*error.args) from error
