"""`python -m airflow_provider_lake.cli` is `lake`."""

import sys

from airflow_provider_lake.cli.main import main

sys.exit(main())
