"""What importing this provider costs a DAG file, beside other providers that are installed.

Each provider's hooks, operators, sensors and triggers are imported in a process of their own, behind `airflow.sdk`;
what they add to it is measured: CPU time, which other programs disturb least, and modules. The least of several rounds
counts. Run it as ``python benchmarks/imports.py [--rounds N]``; for the others install, into an environment of its own,
``apache-airflow-providers-amazon`` ``-databricks`` ``-dbt-cloud`` ``-airbyte`` and whatever else is in `PROVIDERS`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

# Modules that a DAG with an operator, a sensor and deferral of that provider loads.
PROVIDERS = {
    "lake": (
        "airflow_provider_lake.hooks.lake",
        "airflow_provider_lake.operators.upload",
        "airflow_provider_lake.operators.import_bucket",
        "airflow_provider_lake.operators.processing",
        "airflow_provider_lake.sensors.job",
        "airflow_provider_lake.triggers.job",
    ),
    "amazon (S3, Glue)": (
        "airflow.providers.amazon.aws.hooks.s3",
        "airflow.providers.amazon.aws.operators.s3",
        "airflow.providers.amazon.aws.operators.glue",
        "airflow.providers.amazon.aws.sensors.glue",
        "airflow.providers.amazon.aws.triggers.glue",
    ),
    "databricks": (
        "airflow.providers.databricks.hooks.databricks",
        "airflow.providers.databricks.operators.databricks",
        "airflow.providers.databricks.sensors.databricks",
        "airflow.providers.databricks.triggers.databricks",
    ),
    "dbt-cloud": (
        "airflow.providers.dbt.cloud.hooks.dbt",
        "airflow.providers.dbt.cloud.operators.dbt",
        "airflow.providers.dbt.cloud.sensors.dbt",
        "airflow.providers.dbt.cloud.triggers.dbt",
    ),
    "airbyte": (
        "airflow.providers.airbyte.hooks.airbyte",
        "airflow.providers.airbyte.operators.airbyte",
        "airflow.providers.airbyte.sensors.airbyte",
        "airflow.providers.airbyte.triggers.airbyte",
    ),
}
PROGRAM = """
import sys, time
from importlib import import_module
import airflow.sdk
before, started = len(sys.modules), time.process_time()
for name in sys.argv[1:]:
    import_module(name)
print((time.process_time() - started) * 1000, len(sys.modules) - before)
"""


def main() -> None:
    """Measure every provider that is installed."""
    parser = argparse.ArgumentParser(description="what importing providers costs")
    parser.add_argument("--rounds", type=int, default=5, help="processes per provider (%(default)s)")
    rounds = parser.parse_args().rounds
    print(f"{'provider':<20}{'CPU ms':>9}{'modules':>9}   beyond airflow.sdk, least of {rounds}")
    for provider, modules in PROVIDERS.items():
        if not _is_installed(modules[0]):
            print(f"{provider:<20}{'not installed':>18}")
            continue
        milliseconds, count = min(_measure(modules) for _ in range(rounds))
        print(f"{provider:<20}{milliseconds:>9.0f}{count:>9.0f}")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module.rpartition(".")[0]) is not None
    except ModuleNotFoundError:
        return False


def _measure(modules: Sequence[str]) -> tuple[float, float]:
    """Return the milliseconds of CPU time, and the modules, that importing these takes."""
    command = [sys.executable, "-c", PROGRAM, *modules]
    milliseconds, count = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(milliseconds), float(count)


if __name__ == "__main__":
    main()
