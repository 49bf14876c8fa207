"""The `lake` command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.cli.server_extra import require_server

DEFAULT_DATA_DIR = Path(".lake")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
MAX_PORT = 65535


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 for success, 1 for failure, 2 for wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed) or 0
    except CommandError as error:
        print(f"lake {parsed.command}: {error}", file=sys.stderr)
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
    serve.add_argument("--jobs", type=_job_slots, default=2, help="jobs that run at the same time (%(default)s)")
    serve.set_defaults(run=_serve)


def _add_demo(commands: "argparse._SubParsersAction[_Parser]") -> None:
    demo = commands.add_parser(
        "demo", help="ingest photos through Airflow into an embedded lake, and show what came in", allow_abbrev=False
    )
    demo.add_argument("--photos", type=Path, metavar="DIR", help="folder of photos; without it some are made")
    _add_data_dir(demo)
    demo.set_defaults(run=_demo)


def _add_check(commands: "argparse._SubParsersAction[_Parser]") -> None:
    check = commands.add_parser(
        "check", help="try a connection, and say in one sentence what is wrong with it", allow_abbrev=False
    )
    check.add_argument("--conn-id", metavar="ID", help="a connection of Airflow, instead of what follows")
    check.add_argument("--host", metavar="URL", help="the lake (the platform)")
    check.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds the API token")
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
        usage="%(prog)s [--data-dir DIR] [--database URL] NAME -- COMMAND [ARG ...]",
    )
    _add_data_dir(register)
    _add_database(register)
    register.add_argument("--description", help="what it does")
    register.add_argument("name", metavar="NAME")
    register.add_argument("argv", metavar="COMMAND", nargs="+")
    register.set_defaults(run=_register)
    show = actions.add_parser("list", help="list the registered commands", allow_abbrev=False)
    _add_data_dir(show)
    _add_database(show)
    show.set_defaults(run=_list)


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=DEFAULT_DATA_DIR, help="folder of the lake (%(default)s)"
    )


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="SQLAlchemy URL like postgresql+psycopg://USER@HOST/NAME; without it SQLite in the data folder",
    )


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {MAX_PORT}")
    return port


def _job_slots(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of jobs: 1 or more")
    return int(text)


# The commands load what they need when they run: `lake --help` stays quick.


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
        job_slots=parsed.jobs,
    )


def _demo(parsed: argparse.Namespace) -> int:
    from airflow_provider_lake.cli.demo import run_demo

    return run_demo(parsed.photos, parsed.data_dir / "demo")


def _check(parsed: argparse.Namespace) -> int:
    from airflow_provider_lake.cli.check import check_conn_id, check_given

    if parsed.conn_id is not None:
        return check_conn_id(parsed.conn_id)
    names = ("organization_id", "organization_name", "datalake", "timeout", "verify_ssl")
    extra = {name: getattr(parsed, name) for name in names}
    return check_given(parsed.host, parsed.token, parsed.token_file, extra)


def _register(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.processing import register

    return register(parsed.data_dir, parsed.database, parsed.name, parsed.argv, parsed.description)


def _list(parsed: argparse.Namespace) -> int:
    require_server()
    from airflow_provider_lake.cli.processing import show

    return show(parsed.data_dir, parsed.database)
