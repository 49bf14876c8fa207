"""Names in request bodies."""

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from airflow_provider_lake.server.store.tables import NAME_LENGTH

Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")]


class NameBody(BaseModel):
    """The name of something, new or changed."""

    name: Name
