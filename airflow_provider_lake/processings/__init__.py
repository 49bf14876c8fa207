"""Processings included with the embedded lake; each is a separate program that uses the client."""

import sys

# Name to command line: the processings that the embedded lake registers when it starts.
BUILTIN = {"data auto tagging": (sys.executable, "-m", "airflow_provider_lake.processings.auto_tagging")}
