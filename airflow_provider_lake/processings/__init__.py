"""Processings that come with the embedded lake; each is a program of its own that works through the client."""

import sys

# Name to command line: what the embedded lake registers at its start.
BUILTIN = {"data auto tagging": (sys.executable, "-m", "airflow_provider_lake.processings.auto_tagging")}
