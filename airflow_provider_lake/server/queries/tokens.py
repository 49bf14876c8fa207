"""API tokens."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.tables import Token


def find_token(session: Session, sha256: str) -> Token | None:
    """Return the token of this digest."""
    return session.get(Token, sha256)


def set_owner_token(session: Session, user_id: UUID, organization_id: UUID, sha256: str) -> None:
    """Make this the one token of a user; what it had before becomes invalid."""
    stale = select(Token.sha256).where(Token.user_id == user_id, Token.job_id.is_(None), Token.sha256 != sha256)
    session.execute(delete(Token).where(Token.sha256.in_(stale)))
    if session.get(Token, sha256) is None:
        session.add(Token(sha256=sha256, user_id=user_id, organization_id=organization_id))
