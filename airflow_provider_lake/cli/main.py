"""The `lake` command line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.cli.server_extra import require_server

DEFAULT_DATA_DIR = Path(".lake")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
MAX_PORT = 65535
DEFAULT_ORGANIZATION = "local"


class _Parser(argparse.ArgumentParser):
    """Reports usage errors in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 for success, 1 for failure, 2 for wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except CommandError as error:
        print(f"lake {parsed.command}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # For errors such as a read-only folder or a full disk, a traceback would add nothing.
        where = "" if error.filename is None else f": {error.filename}"
        print(f"lake {parsed.command}: {error.strerror or error}{where}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from airflow_provider_lake import __version__

    parser = _Parser(prog="lake", description="A visual datalake on this machine, and what goes with it.")
    parser.add_argument("--version", action="version", version=f"airflow-provider-lake {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_demo(commands)
    _add_check(commands)
    _add_processing(commands)
    _add_datalake(commands)
    _add_user(commands)
    _add_token(commands)
    return parser


def _add_serve(commands: "argparse._SubParsersAction[_Parser]") -> None:
    serve = commands.add_parser("serve", help="run an embedded lake", allow_abbrev=False)
    serve.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port to listen on; 0 takes a free one (%(default)s)"
    )
    _add_data_dir(serve)
    _add_database(serve)
    serve.add_argument(
        "--storage",
        metavar="URL",
        help="s3://BUCKET/PREFIX of the stored objects; without it they lie in the data folder",
    )
    serve.add_argument("--token", help="API token of the owner; without it one is made and kept in the data folder")
    serve.add_argument(
        "--token-file", type=_path, metavar="FILE", help="file with that token, which no list of processes shows"
    )
    serve.add_argument("--tls-cert", type=_path, metavar="FILE", help="certificate in PEM: serve https")
    serve.add_argument("--tls-key", type=_path, metavar="FILE", help="key of the certificate in PEM")
    serve.add_argument("--public-url", metavar="URL", help="where clients reach the lake, if not where it listens")
    serve.add_argument(
        "--insecure", action="store_true", help="listen beyond this machine without TLS, behind a proxy that ends it"
    )
    serve.add_argument(
        "--workers", type=_positive_integer("processes"), default=1, help="processes that answer requests (%(default)s)"
    )
    serve.add_argument(
        "--jobs", type=_positive_integer("jobs"), default=2, help="jobs that run at the same time (%(default)s)"
    )
    serve.set_defaults(run=_serve)


def _add_demo(commands: "argparse._SubParsersAction[_Parser]") -> None:
    demo = commands.add_parser(
        "demo", help="ingest photos through Airflow into an embedded lake, and show what came in", allow_abbrev=False
    )
    demo.add_argument("--photos", type=_path, metavar="DIR", help="folder of photos; without it some are made")
    _add_data_dir(demo)
    demo.set_defaults(run=_demo)


def _add_check(commands: "argparse._SubParsersAction[_Parser]") -> None:
    check = commands.add_parser(
        "check", help="try a connection, and say in one sentence what is wrong with it", allow_abbrev=False
    )
    check.add_argument("--conn-id", metavar="ID", help="a connection of Airflow, instead of what follows")
    check.add_argument("--host", metavar="URL", help="the lake (the platform)")
    check.add_argument("--token-file", type=_path, metavar="FILE", help="file that holds the API token")
    check.add_argument("--token", help="the API token itself; other users of this machine can see it")
    check.add_argument("--organization-id", metavar="ID", help="the organization (the token's default one)")
    check.add_argument("--organization-name", metavar="NAME", help="the organization by name")
    check.add_argument("--datalake", metavar="NAME", help="the datalake (the organization's default one)")
    check.add_argument("--timeout", metavar="SECONDS", help="how long to wait for an answer (30)")
    check.add_argument("--no-verify-ssl", dest="verify_ssl", action="store_false", help="accept any TLS certificate")
    check.set_defaults(run=_check)


def _add_processing(commands: "argparse._SubParsersAction[_Parser]") -> None:
    processing = commands.add_parser(
        "processing", help="commands that an embedded lake runs on its data", allow_abbrev=False
    )
    actions = processing.add_subparsers(dest="action", required=True, metavar="ACTION")
    register = actions.add_parser(
        "register",
        help="register a command, or change it",
        usage="%(prog)s [--data-dir DIR] [--database URL] [--organization NAME] NAME -- COMMAND [ARG ...]",
    )
    _add_data_dir(register)
    _add_database(register)
    _add_organization(register)
    register.add_argument("--description", help="what it does")
    register.add_argument("name", metavar="NAME")
    register.add_argument("argv", metavar="COMMAND", nargs="+")
    register.set_defaults(run=_register)
    show = actions.add_parser("list", help="list the registered commands", allow_abbrev=False)
    _add_data_dir(show)
    _add_database(show)
    _add_organization(show)
    show.set_defaults(run=_list)


def _add_datalake(commands: "argparse._SubParsersAction[_Parser]") -> None:
    datalake = commands.add_parser("datalake", help="datalakes of an embedded lake", allow_abbrev=False)
    actions = datalake.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _add_action(actions, "add", "add a datalake to an organization", _datalake_add)
    add.add_argument("name", metavar="NAME")
    _add_organization(add)
    _add_organization(_add_action(actions, "list", "list the datalakes of an organization", _datalake_list))


def _add_user(commands: "argparse._SubParsersAction[_Parser]") -> None:
    user = commands.add_parser("user", help="people who may use an embedded lake", allow_abbrev=False)
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _add_action(actions, "add", "add a user, and print its first token", _user_add)
    add.add_argument("name", metavar="NAME")
    _add_organization(add)
    _add_action(actions, "list", "list users with their organizations and numbers of tokens", _user_list)
    remove = _add_action(actions, "remove", "remove a user and its tokens", _user_remove)
    remove.add_argument("name", metavar="NAME")


def _add_token(commands: "argparse._SubParsersAction[_Parser]") -> None:
    token = commands.add_parser("token", help="API tokens of an embedded lake", allow_abbrev=False)
    actions = token.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _add_action(actions, "add", "make one more token of a user, and print it", _token_add)
    add.add_argument("name", metavar="USER")
    _add_action(actions, "list", "list tokens by id", _token_list)
    revoke = _add_action(actions, "revoke", "make a token void, at once", _token_revoke)
    revoke.add_argument("token_id", metavar="ID")


def _add_action(
    actions: "argparse._SubParsersAction[_Parser]", name: str, help: str, run: Callable[[argparse.Namespace], int]
) -> _Parser:
    action = actions.add_parser(name, help=help, allow_abbrev=False)
    _add_data_dir(action)
    _add_database(action)
    action.set_defaults(run=run)
    return action


def _add_organization(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--organization", metavar="NAME", default=DEFAULT_ORGANIZATION, help="whose it is (%(default)s)"
    )


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=_path, metavar="DIR", default=DEFAULT_DATA_DIR, help="folder of the lake (%(default)s)"
    )


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="SQLAlchemy URL like postgresql+psycopg://USER@HOST/NAME; without it SQLite in the data folder",
    )


def _path(text: str) -> Path:
    # For Python, an empty path is the working directory; for a user, it is most likely an unset shell variable.
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} names nothing: give a path")
    return Path(text)


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {MAX_PORT}")
    return port


def _positive_integer(noun: str) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {noun}: 1 or more")
        return int(text)

    return number


# The commands import their dependencies when they run, so that `lake --help` stays fast.


def _serve(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.serve import run_lake

    return run_lake(
        parsed.host,
        parsed.port,
        parsed.data_dir,
        database_url=parsed.database,
        storage_url=parsed.storage,
        token=parsed.token,
        token_file=parsed.token_file,
        tls_cert=parsed.tls_cert,
        tls_key=parsed.tls_key,
        public_url=parsed.public_url,
        insecure=parsed.insecure,
        workers=parsed.workers,
        job_slots=parsed.jobs,
    )


def _demo(parsed: argparse.Namespace) -> int:
    from airflow_provider_lake.cli.demo import run_demo

    return run_demo(parsed.photos, parsed.data_dir / "demo")


def _check(parsed: argparse.Namespace) -> int:
    from airflow_provider_lake.cli.check import check_arguments, check_conn_id

    if parsed.conn_id is not None:
        return check_conn_id(parsed.conn_id)
    names = ("organization_id", "organization_name", "datalake", "timeout", "verify_ssl")
    extra = {name: getattr(parsed, name) for name in names}
    return check_arguments(parsed.host, parsed.token, parsed.token_file, extra)


def _register(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.processing import register

    return register(parsed.data_dir, parsed.database, parsed.organization, parsed.name, parsed.argv, parsed.description)


def _list(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.processing import show

    return show(parsed.data_dir, parsed.database, parsed.organization)


def _datalake_add(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.datalakes import add_datalake

    return add_datalake(parsed.data_dir, parsed.database, parsed.organization, parsed.name)


def _datalake_list(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.datalakes import list_datalakes

    return list_datalakes(parsed.data_dir, parsed.database, parsed.organization)


def _user_add(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import add_user

    return add_user(parsed.data_dir, parsed.database, parsed.name, parsed.organization)


def _user_list(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import list_users

    return list_users(parsed.data_dir, parsed.database)


def _user_remove(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import remove_user

    return remove_user(parsed.data_dir, parsed.database, parsed.name)


def _token_add(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import add_token

    return add_token(parsed.data_dir, parsed.database, parsed.name)


def _token_list(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import list_tokens

    return list_tokens(parsed.data_dir, parsed.database)


def _token_revoke(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.accounts import revoke_token

    return revoke_token(parsed.data_dir, parsed.database, parsed.token_id)
