"""Processings: programs that work on data, and the statements for launching one."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.queries.ordering import order_clauses
from airflow_provider_lake.server.store.tables import Data, Datalake, Processing, Token, User

# Databases limit the parameters of one statement.
_IDS_AT_ONCE = 1000
_ORDERS = {"name": Processing.name}


def get_processing(session: Session, organization_id: UUID, processing_id: UUID) -> Processing:
    """Return one processing of an organization.

    :raises NotFoundError: the organization has no such processing.
    """
    statement = select(Processing).where(Processing.id == processing_id, Processing.organization_id == organization_id)
    processing = session.scalar(statement)
    if processing is None:
        raise NotFoundError(f"no processing with id {processing_id}")
    return processing


def find_processing(session: Session, organization_id: UUID, name: str) -> Processing | None:
    """Return the processing of that name, if there is one."""
    statement = select(Processing).where(Processing.organization_id == organization_id, Processing.name == name)
    return session.scalar(statement)


def list_processings(
    session: Session, organization_id: UUID, limit: int, offset: int, order_by: Sequence[str]
) -> tuple[Sequence[Processing], int]:
    """Return a page of an organization's processings, and how many there are in all.

    :raises BadRequestError: processings cannot be ordered by such a field.
    """
    of_organization = Processing.organization_id == organization_id
    statement = select(Processing).where(of_organization)
    statement = statement.order_by(*order_clauses(_ORDERS, order_by or ("name",)), Processing.id)
    count = session.scalar(select(func.count()).select_from(Processing).where(of_organization)) or 0
    return session.scalars(statement.limit(limit).offset(offset)).all(), count


def create(session: Session, organization_id: UUID, fields: Mapping[str, Any]) -> Processing:
    """Add a processing.

    :raises ConflictError: the organization has one of that name.
    """
    if find_processing(session, organization_id, fields["name"]) is not None:
        raise ConflictError(f"there is a processing named {fields['name']!r} already")
    processing = Processing(organization_id=organization_id, **fields)
    session.add(processing)
    session.flush()
    return processing


def register(
    session: Session,
    organization_id: UUID,
    name: str,
    command: Sequence[str],
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Processing:
    """Make a command line the processing of that name; an existing one keeps its other fields.

    :param command: program and arguments; started without a shell.
    :param parameters: defaults of what the program reads from its job.
    """
    processing = find_processing(session, organization_id, name)
    if processing is None:
        processing = create(session, organization_id, {"name": name, "default_parameters": {}})
    processing.command = list(command)
    if description is not None:
        processing.description = description
    if parameters is not None:
        processing.default_parameters = dict(parameters)
    session.flush()
    return processing


def missing_data(session: Session, datalake_id: UUID, data_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the ids that are not data of a datalake."""
    known: set[UUID] = set()
    for start in range(0, len(data_ids), _IDS_AT_ONCE):
        chunk = data_ids[start : start + _IDS_AT_ONCE]
        known.update(session.scalars(select(Data.id).where(Data.datalake_id == datalake_id, Data.id.in_(chunk))))
    return [data_id for data_id in data_ids if data_id not in known]


def renew_token(session: Session, job_id: UUID, user_id: UUID, datalake_id: UUID, sha256: str) -> UUID:
    """Store the token of a job's program, in place of any earlier one, and return the organization that it is for.

    :raises NotFoundError: the user who launched the job was removed.
    """
    if session.get(User, user_id) is None:
        raise NotFoundError("the user who launched it was removed")
    organization_id = session.scalars(select(Datalake.organization_id).where(Datalake.id == datalake_id)).one()
    session.execute(delete(Token).where(Token.job_id == job_id))
    session.add(Token(sha256=sha256, user_id=user_id, organization_id=organization_id, job_id=job_id))
    return organization_id
