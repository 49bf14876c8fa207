"""Organizations, their connectors and datalakes."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.tables import Connector, Datalake, Organization, User


def get_user(session: Session, user_id: UUID) -> User:
    """Return one user."""
    return session.get_one(User, user_id)


def get_organization(session: Session, organization_id: UUID, caller_organization_id: UUID) -> Organization:
    """Return the caller's organization.

    :raises NotFoundError: the id is that of another organization, or unknown.
    """
    organization = session.get(Organization, organization_id)
    if organization is None or organization.id != caller_organization_id:
        raise NotFoundError(f"no organization with id {organization_id}")
    return organization


def get_organization_by_name(session: Session, name: str, caller_organization_id: UUID) -> Organization:
    """Return the caller's organization.

    :raises NotFoundError: the name is that of another organization, or unknown.
    """
    statement = select(Organization).where(Organization.name == name, Organization.id == caller_organization_id)
    organization = session.scalar(statement)
    if organization is None:
        raise NotFoundError(f"no organization named {name!r}")
    return organization


def find_default_connector(session: Session, organization_id: UUID) -> Connector | None:
    """Return the connector that an organization's datalakes use by default."""
    return session.scalar(
        select(Connector).where(Connector.organization_id == organization_id, Connector.is_default).limit(1)
    )


def get_connector(session: Session, organization_id: UUID, connector_id: UUID) -> Connector:
    """Return one connector of an organization.

    :raises NotFoundError: it has none of that id.
    """
    connector = session.get(Connector, connector_id)
    if connector is None or connector.organization_id != organization_id:
        raise NotFoundError(f"no connector with id {connector_id}")
    return connector


def get_datalake(session: Session, organization_id: UUID, datalake_id: UUID) -> Datalake:
    """Return one datalake of an organization.

    :raises NotFoundError: it has none of that id.
    """
    datalake = session.get(Datalake, datalake_id)
    if datalake is None or datalake.organization_id != organization_id:
        raise NotFoundError(f"no datalake with id {datalake_id}")
    return datalake


def find_datalake(session: Session, organization_id: UUID, name: str | None) -> Datalake:
    """Return the datalake of a name; without one, the default one.

    :raises NotFoundError: the organization has none of that name, or no default one.
    """
    statement = select(Datalake).where(Datalake.organization_id == organization_id)
    statement = statement.where(Datalake.is_default if name is None else Datalake.name == name)
    datalake = session.scalar(statement.limit(1))
    if datalake is None:
        organization = session.get_one(Organization, organization_id)
        wanted = "default datalake" if name is None else f"datalake named {name!r}"
        raise NotFoundError(f"no {wanted} in organization {organization.name!r}")
    return datalake


def create_datalake(session: Session, organization_id: UUID, name: str) -> Datalake:
    """Add a datalake to an organization, on the bucket of its default one.

    :raises ConflictError: it has one of that name.
    """
    default = find_datalake(session, organization_id, None)
    if session.scalar(select(Datalake).where(Datalake.organization_id == organization_id, Datalake.name == name)):
        raise ConflictError(f"there is a datalake named {name!r} already")
    datalake = Datalake(organization_id=organization_id, connector_id=default.connector_id, name=name)
    session.add(datalake)
    session.flush()
    return datalake


def organizations_of(session: Session, datalake_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the organization of each of these datalakes."""
    statement = select(Datalake.id, Datalake.organization_id).where(Datalake.id.in_(datalake_ids))
    return dict(session.execute(statement).tuples().all())


def list_datalakes(session: Session, organization_id: UUID) -> Sequence[Datalake]:
    """Return all datalakes of an organization, by name."""
    statement = select(Datalake).where(Datalake.organization_id == organization_id).order_by(Datalake.name)
    return session.scalars(statement).all()
