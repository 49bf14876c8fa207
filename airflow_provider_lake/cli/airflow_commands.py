"""`airflow lake ...`: the commands that this provider adds to Airflow's command line (Airflow 3.2)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.cli.cli_config import CLICommand


def get_commands() -> "list[CLICommand]":
    """Return the commands; Airflow calls this on every start, so their dependencies are imported only when they run."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

    conn_id = Arg(("--conn-id",), default="lake_default", help="id of the connection (lake_default)")
    check = ActionCommand(
        name="check",
        help="Try a connection of type lake",
        func=lazy_load_command("airflow_provider_lake.cli.check.run_airflow_command"),
        args=(conn_id,),
    )
    return [GroupCommand(name="lake", help="Visual datalakes", subcommands=(check,))]
