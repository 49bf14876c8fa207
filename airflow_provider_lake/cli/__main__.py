"""Runs the `lake` command as `python -m airflow_provider_lake.cli`."""

import sys

from airflow_provider_lake.cli.main import main

sys.exit(main())
