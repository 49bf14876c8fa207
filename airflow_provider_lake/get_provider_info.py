"""What Airflow is told about this provider; read at every start of Airflow, so it imports nothing."""

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata in the shape of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-lake",
        "name": "Lake",
        "description": "Upload, import and process images and video in a datalake that speaks the Picsellia API.",
        "integrations": [
            {
                "integration-name": "Lake",
                "external-doc-url": "https://documentation.picsellia.com/",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": "Lake", "python-modules": ["airflow_provider_lake.hooks.lake"]}],
        "operators": [
            {
                "integration-name": "Lake",
                "python-modules": [
                    "airflow_provider_lake.operators.data",
                    "airflow_provider_lake.operators.downloads",
                    "airflow_provider_lake.operators.imports",
                    "airflow_provider_lake.operators.processings",
                    "airflow_provider_lake.operators.projections",
                    "airflow_provider_lake.operators.tags",
                ],
            }
        ],
        "sensors": [{"integration-name": "Lake", "python-modules": ["airflow_provider_lake.sensors.jobs"]}],
        "triggers": [{"integration-name": "Lake", "python-modules": ["airflow_provider_lake.triggers.jobs"]}],
        "cli": ["airflow_provider_lake.cli.airflow_commands.get_commands"],
        "connection-types": [
            {
                "connection-type": "lake",
                "hook-class-name": "airflow_provider_lake.hooks.lake.LakeHook",
                "hook-name": "Lake",
                "ui-field-behaviour": {
                    # Scheme and port count where the host has none, so they are shown.
                    "hidden-fields": ["login"],
                    "relabeling": {"host": "Host", "password": "API token", "schema": "Scheme"},
                    "placeholders": {"host": "https://app.picsellia.com", "schema": "https"},
                },
                "conn-fields": {
                    "organization_id": {
                        "label": "Organization id",
                        "description": "UUID; empty: by name, else the token's default organization.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "organization_name": {
                        "label": "Organization name",
                        "description": "Used where no id is given.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "datalake": {
                        "label": "Datalake",
                        "description": "Name of the datalake; empty: the organization's default one.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "verify_ssl": {
                        "label": "Verify TLS certificates",
                        "description": "Turn off only for a lake of your own with a self-signed certificate.",
                        "schema": {"type": ["boolean", "null"], "default": True},
                    },
                    "timeout": {
                        "label": "Timeout (seconds)",
                        "description": "How long to wait for the lake to connect, and for each piece of an answer.",
                        "schema": {"type": ["number", "null"], "default": 30},
                    },
                },
            }
        ],
    }
