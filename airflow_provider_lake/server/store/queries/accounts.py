"""Organizations and their users."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import ConflictError, NotFoundError
from airflow_provider_lake.server.store.tables import Connector, Datalake, Organization, Token, User

DATALAKE_NAME = "default"


def find_organization(session: Session, name: str) -> Organization | None:
    """Return the organization of a name, if there is one."""
    return session.scalar(select(Organization).where(Organization.name == name))


def create_organization(session: Session, name: str) -> Organization:
    """Add an organization with a connector and a default datalake."""
    organization = Organization(name=name)
    session.add(organization)
    session.flush()
    connector = Connector(organization_id=organization.id, name="objects")
    session.add(connector)
    session.flush()
    session.add(
        Datalake(organization_id=organization.id, connector_id=connector.id, name=DATALAKE_NAME, is_default=True)
    )
    return organization


def create_user(session: Session, username: str, organization: Organization) -> User:
    """Add a user.

    :raises ConflictError: there is one of that name.
    """
    if find_user(session, username) is not None:
        raise ConflictError(f"there is a user named {username!r} already")
    user = User(username=username, organization_id=organization.id)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, username: str) -> User | None:
    """Return the user of a name, if there is one."""
    return session.scalar(select(User).where(User.username == username))


def get_user(session: Session, username: str) -> User:
    """Return the user of a name.

    :raises NotFoundError: there is none.
    """
    user = find_user(session, username)
    if user is None:
        raise NotFoundError(f"no user named {username!r}")
    return user


def list_users(session: Session) -> Sequence[tuple[str, str, int]]:
    """Return name, organization and number of tokens of every user."""
    tokens = func.count(Token.sha256).filter(Token.job_id.is_(None))
    statement = (
        select(User.username, Organization.name, tokens)
        .join(Organization, Organization.id == User.organization_id)
        .outerjoin(Token, Token.user_id == User.id)
        .group_by(User.username, Organization.name)
    )
    found = session.execute(statement.order_by(Organization.name, User.username))
    return [(username, organization, count) for username, organization, count in found]


def delete_user(session: Session, user: User) -> None:
    """Delete a user with all tokens, including those of the jobs that it launched; the user's data stay."""
    session.execute(delete(Token).where(Token.user_id == user.id))
    session.delete(user)
