"""API tokens: only their SHA-256 is stored."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from airflow_provider_lake.server.errors import UnauthorizedError
from airflow_provider_lake.server.store.states import JobStatus
from airflow_provider_lake.server.store.tables import Job, Organization, Token, User

# Characters of the digest that identify a token in lists.
ID_LENGTH = 12

_KNOWN = select(Token.sha256).where(Token.sha256.in_(bindparam("digests", expanding=True)))


def digest_of(token: str) -> str:
    """Return the digest of a token, which is what the lake stores."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_token(session: Session, sha256: str) -> Token | None:
    """Return the token of this digest."""
    found = session.get(Token, sha256)
    # The index compares digests, whose timing reveals nothing about tokens; this comparison takes constant time.
    return found if found is not None and hmac.compare_digest(found.sha256, sha256) else None


def datalake_of_job(session: Session, job_id: UUID) -> UUID:
    """Return the datalake that a job's token gives access to.

    :raises UnauthorizedError: the job was killed, and its token with it.
    """
    job = session.get_one(Job, job_id)
    if job.status == JobStatus.KILLED:
        raise UnauthorizedError(f"job {job_id} was killed: its token is void")
    return job.datalake_id


def known_digests(session: Session, digests: Collection[str]) -> set[str]:
    """Return those of the digests that are tokens."""
    return set(session.connection().scalars(_KNOWN, {"digests": list(digests)}))


def set_owner_token(session: Session, user_id: UUID, organization_id: UUID, sha256: str) -> None:
    """Make this the only token of a user; its earlier tokens become invalid."""
    stale = select(Token.sha256).where(Token.user_id == user_id, Token.job_id.is_(None), Token.sha256 != sha256)
    session.execute(delete(Token).where(Token.sha256.in_(stale)))
    if session.get(Token, sha256) is None:
        session.add(Token(sha256=sha256, user_id=user_id, organization_id=organization_id))


def add_token(session: Session, user: User, sha256: str) -> None:
    """Add a token of a user."""
    session.add(Token(sha256=sha256, user_id=user.id, organization_id=user.organization_id))


def list_tokens(session: Session) -> Sequence[tuple[Token, str, str]]:
    """Return the tokens of users, not of jobs, with the names of user and organization, the oldest first."""
    statement = (
        select(Token, User.username, Organization.name)
        .join(User, User.id == Token.user_id)
        .join(Organization, Organization.id == Token.organization_id)
        .where(Token.job_id.is_(None))
    )
    found = session.execute(statement.order_by(Token.created_at, Token.sha256))
    return [(token, username, organization) for token, username, organization in found]


def revoke(session: Session, token_id: str) -> str | None:
    """Revoke the token of this id, and return its digest; None if there is none."""
    meant = select(Token.sha256).where(Token.job_id.is_(None), Token.sha256.startswith(token_id, autoescape=True))
    digest = session.scalar(meant.limit(1)) if len(token_id) == ID_LENGTH else None
    session.execute(delete(Token).where(Token.sha256 == digest))
    return digest
