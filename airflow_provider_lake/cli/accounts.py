"""`lake user` and `lake token`: the users of an embedded lake and their tokens."""

import secrets
import sys
from pathlib import Path

from sqlalchemy.orm import Session

from airflow_provider_lake.cli.database import open_database
from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.processings import BUILTIN
from airflow_provider_lake.server.bootstrap import OWNER
from airflow_provider_lake.server.errors import NotFoundError
from airflow_provider_lake.server.secret_files import SecretFileError, read_token
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.queries import accounts, processings, tokens
from airflow_provider_lake.server.store.tables import Organization, User
from airflow_provider_lake.text.near_names import did_you_mean

_TOKEN_BYTES = 32


def add_user(data_dir: Path, database_url: str | None, username: str, organization_name: str) -> int:
    """Add a user, and its organization if it does not exist; print the user's first token."""
    with open_database(data_dir, database_url) as session:
        organization = accounts.find_organization(session, organization_name)
        if organization is None:
            organization = _create_organization(session, organization_name)
        token = _new_token(session, accounts.create_user(session, username, organization))
    _print_token(username, token)
    return 0


def list_users(data_dir: Path, database_url: str | None) -> int:
    """Print every user with its organization and number of tokens."""
    with open_database(data_dir, database_url) as session:
        for username, organization, count in accounts.list_users(session):
            print(f"{username}\t{organization}\t{count}")
    return 0


def remove_user(data_dir: Path, database_url: str | None, username: str) -> int:
    """Remove a user and all its tokens."""
    if username == OWNER:
        raise CommandError(f"the user {OWNER!r} is the lake's own")
    with open_database(data_dir, database_url) as session:
        accounts.delete_user(session, _get_user(session, username))
    return 0


def add_token(data_dir: Path, database_url: str | None, username: str) -> int:
    """Create a further token for a user, and print it."""
    if username == OWNER:
        raise CommandError(f"the user {OWNER!r} has one token, which lake serve takes from --token-file or the folder")
    with open_database(data_dir, database_url) as session:
        token = _new_token(session, _get_user(session, username))
    _print_token(username, token)
    return 0


def list_tokens(data_dir: Path, database_url: str | None) -> int:
    """Print id, user, organization and creation time of every token; only its user knows the token itself."""
    with open_database(data_dir, database_url) as session:
        for token, username, organization in tokens.list_tokens(session):
            token_id = token.sha256[: tokens.ID_LENGTH]
            print(f"{token_id}\t{username}\t{organization}\t{token.created_at:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def revoke_token(data_dir: Path, database_url: str | None, token_id: str) -> int:
    """Revoke a token, effective immediately; if it is the one in the lake's folder, the next start creates another."""
    with open_database(data_dir, database_url) as session:
        of_owner = {token.sha256 for token, username, _ in tokens.list_tokens(session) if username == OWNER}
        digest = tokens.revoke(session, token_id)
        if digest is None:
            raise CommandError(f"no token with id {token_id!r}; lake token list shows them")
    kept = Settings(data_dir).token_path
    if kept.exists() and _is_token(kept, digest):
        kept.unlink()
        print("it was the owner's: the next lake serve makes another", file=sys.stderr)
    elif digest in of_owner:
        print("it was the owner's: a lake serve that is given it again makes it valid again", file=sys.stderr)
    return 0


def _get_user(session: Session, username: str) -> User:
    try:
        return accounts.get_user(session, username)
    except NotFoundError as error:
        near = did_you_mean(username, (name for name, _, _ in accounts.list_users(session)))
        raise CommandError(f"{error.message}{near}") from None


def _is_token(path: Path, digest: str) -> bool:
    try:
        return tokens.digest_of(read_token(path)) == digest
    except SecretFileError:
        return False


def _create_organization(session: Session, name: str) -> Organization:
    organization = accounts.create_organization(session, name)
    for processing, command in BUILTIN.items():
        processings.register(session, organization.id, processing, list(command))
    return organization


def _new_token(session: Session, user: User) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    tokens.add_token(session, user, tokens.digest_of(token))
    return token


def _print_token(username: str, token: str) -> None:
    print(f"a token of {username}, shown this once:", file=sys.stderr)
    print(token)
