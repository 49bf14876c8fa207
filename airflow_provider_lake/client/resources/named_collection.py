"""Resources that have a unique name at one path: data tags, data sources, processings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from airflow_provider_lake.client.errors import ConflictError, NotFoundError
from airflow_provider_lake.client.resources.base import Json
from airflow_provider_lake.client.transport.fields import read_field
from airflow_provider_lake.client.transport.paging import list_named
from airflow_provider_lake.client.transport.session import Session
from airflow_provider_lake.client.transport.suggestions import suggest
from airflow_provider_lake.text.truncation import first_lines

_R = TypeVar("_R")


class NamedCollection(Generic[_R]):
    """All resources of one kind at one path.

    :param path: of the collection, starting with ``/api/``.
    :param from_json: makes a record from the lake's response.
    :param kind: the resource's name in messages, such as ``data tag``.
    :param owner: the owner's name in messages, such as ``datalake 'trucks'``.
    """

    def __init__(
        self, session: Session, path: str, from_json: Callable[[Session, Json], _R], kind: str, owner: str
    ) -> None:
        self._session = session
        self._path = path
        self._from_json = from_json
        self._kind = kind
        self._owner = owner

    def create(self, name: str, **fields: Any) -> _R:
        """Create a resource.

        :param fields: its other fields.
        :raises ConflictError: the name is taken.
        """
        json = self._session.request("POST", self._path, json={"name": name, **fields})
        return self._from_json(self._session, json)

    def get(self, name: str) -> _R:
        """Return the resource of this name.

        :raises NotFoundError: there is none; the message suggests similar names.
        """
        missing = f"no {self._kind} named {name!r} in {self._owner}"
        json = self._session.find(f"{self._path}/find", [("name", name)], missing, self.list_names)
        return self._from_json(self._session, json)

    def get_or_create(self, name: str) -> _R:
        """Return the resource of this name; create it when it does not exist.

        If several clients call this at the same time, one creates it and the others get it.
        """
        try:
            json = self._find(name)
        except NotFoundError:
            try:
                # Repeatable: the lake refuses a second one of the same name.
                json = self._session.request("POST", self._path, json={"name": name}, repeatable=True)
            except ConflictError:
                json = self._find(name)
        return self._from_json(self._session, json)

    def list(self, limit: int | None, offset: int | None, order_by: Sequence[str] | None) -> Iterator[_R]:
        """Yield the resources; pages are requested as needed.

        :param limit: maximum number of resources.
        :param offset: number of resources to skip.
        :param order_by: fields, with a ``-`` prefix for descending order.
        """
        for json in list_named(self._session, self._path, limit, offset, order_by):
            yield self._from_json(self._session, json)

    def list_names(self) -> Iterator[str]:
        """Yield the names of all of them."""
        for json in list_named(self._session, self._path, None, None, None):
            yield read_field(json, "name", str)

    def suggest(self, names: Iterable[str]) -> str:
        """Return the end of a sentence that lists which of the names do not exist, with similar names.

        :return: empty when all of them exist.
        """
        unknown = [name for name in names if not self._exists(name)]
        if not unknown:
            return ""
        near = suggest(unknown[0], self.list_names)
        return f": it has no {self._kind} named {' or '.join(first_lines([repr(name) for name in unknown]))}{near}"

    def _find(self, name: str) -> Any:
        return self._session.request("GET", f"{self._path}/find", params=[("name", name)])

    def _exists(self, name: str) -> bool:
        try:
            self._find(name)
        except NotFoundError:
            return False
        return True
