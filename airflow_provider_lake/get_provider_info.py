"""What Airflow is told about this provider; read at every start of Airflow, so it imports nothing."""

from typing import Any

_ASSET_URI = {
    "schemes": ["lake"],
    "handler": "airflow_provider_lake.assets.lake.sanitize_uri",
    "factory": "airflow_provider_lake.assets.lake.create_asset",
    "to_openlineage_converter": "airflow_provider_lake.assets.lake.convert_asset_to_openlineage",
}


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
                    "airflow_provider_lake.operators.download",
                    "airflow_provider_lake.operators.import_bucket",
                    "airflow_provider_lake.operators.processing",
                    "airflow_provider_lake.operators.projection",
                    "airflow_provider_lake.operators.tag",
                    "airflow_provider_lake.operators.update",
                    "airflow_provider_lake.operators.upload",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Lake",
                "python-modules": ["airflow_provider_lake.sensors.data", "airflow_provider_lake.sensors.job"],
            }
        ],
        "triggers": [
            {
                "integration-name": "Lake",
                "python-modules": ["airflow_provider_lake.triggers.data", "airflow_provider_lake.triggers.job"],
            }
        ],
        "asset-uris": [dict(_ASSET_URI)],
        "dataset-uris": [dict(_ASSET_URI)],
        "extra-links": [
            "airflow_provider_lake.links.lake.LakeDatalakeLink",
            "airflow_provider_lake.links.lake.LakeDataLink",
            "airflow_provider_lake.links.lake.LakeJobLink",
        ],
        "config": {
            "lake": {
                "description": "Visual datalakes. An argument of a task or a field of a connection wins over these.",
                "options": {
                    "datalake_url": {
                        "description": (
                            "Address of a datalake's page, to which tasks link. Its fields are ``{host}`` (the "
                            "connection's), ``{organization_id}``, ``{datalake_id}`` and ``{datalake}`` (its name). "
                            "Empty: ``{host}/datalake/{datalake_id}``."
                        ),
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "https://lake.example.com/datalake/{datalake_id}",
                        "default": "",
                    },
                    "data_url": {
                        "description": (
                            "Address of the page that lists the data of a task. Its fields are those of "
                            "``datalake_url`` and ``{selection}``: ``tag=NAME`` for each tag, and ``q=QUERY``. Empty: "
                            "``{host}/datalake/{datalake_id}?{selection}``."
                        ),
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "https://lake.example.com/datalake/{datalake_id}?{selection}",
                        "default": "",
                    },
                    "job_url": {
                        "description": (
                            "Address of a job's page. Its fields are ``{host}``, ``{organization_id}`` and "
                            "``{job_id}``. Empty: ``{host}/job/{job_id}``."
                        ),
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "https://lake.example.com/job/{job_id}",
                        "default": "",
                    },
                    "poll_interval": {
                        "description": "Seconds between two looks at a job or at data that a task waits for.",
                        "version_added": "0.1.0",
                        "type": "float",
                        "example": "30",
                        "default": "5.0",
                    },
                    "outage_budget": {
                        "description": (
                            "Seconds without a break that a lake may fail to answer before a task that waits fails."
                        ),
                        "version_added": "0.1.0",
                        "type": "float",
                        "example": "3600",
                        "default": "600.0",
                    },
                },
            }
        },
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
                    "lake_name": {
                        "label": "Name of the lake",
                        "description": "Stands for the host in lake:// assets, which so survive a move of the lake.",
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
