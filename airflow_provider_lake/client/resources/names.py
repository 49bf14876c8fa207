"""Things that have a name of their own within one path: data tags and data sources."""

from typing import Any

from airflow_provider_lake.client.errors import ConflictError, NotFoundError
from airflow_provider_lake.client.transport.session import Session


def get_or_create(session: Session, path: str, name: str) -> Any:
    """Return the thing of that name, made when there is none.

    Of several clients that do this at the same time one makes it and the others get it.
    """
    find = [("name", name)]
    try:
        return session.request("GET", f"{path}/find", params=find)
    except NotFoundError:
        pass
    try:
        # Repeatable: a second one of the name is refused.
        return session.request("POST", path, json={"name": name}, repeatable=True)
    except ConflictError:
        return session.request("GET", f"{path}/find", params=find)
