"""Plain HTTP calls to a lake, for tests that need no client in between."""

from pathlib import Path
from typing import Any

import requests

from tests.lake_process import LakeProcess


class LakeApi:
    """Calls a lake.

    :param lake: a running one.
    :param token: who calls; None: its owner.
    :param certificate: what it is trusted by; None: it speaks plain HTTP.
    """

    def __init__(self, lake: LakeProcess, token: str | None = None, certificate: Path | None = None) -> None:
        self.url = lake.url
        self.http = requests.Session()
        self.http.verify = True if certificate is None else str(certificate)
        self.http.headers["Authorization"] = f"Bearer {token or lake.token}"
        self.organization = self.get("/api/home/ping").json()["default_organization"]
        found = self.get(f"/api/organization/{self.organization}/datalake").json()
        self.datalake, self.connector = found["id"], found["connector_id"]

    def get(self, path: str, **options: object) -> requests.Response:
        """Call GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, json: object = None, **options: object) -> requests.Response:
        """Call POST."""
        return self.call("POST", path, json=json, **options)

    def call(self, method: str, path: str, **options: object) -> requests.Response:
        """Call any method; whatever the answer is, it is not an internal error of the lake."""
        # Said with each request: what the environment says would win over the session.
        options = {"verify": self.http.verify} | options
        response = self.http.request(method, f"{self.url}{path}", timeout=60, **options)  # type: ignore[arg-type]  # as given
        assert response.status_code < 500, response.text
        return response

    def upload(self, filename: str, content: bytes, content_type: str = "image/jpeg") -> str:
        """Upload bytes as an object, and return its name."""
        named = self.post(
            f"/api/organization/{self.organization}/connector/{self.connector}/generate_object_name",
            {"filename": filename, "type": "DATA"},
        ).json()
        form = self.presign(named["object_name"], content_type)
        sent = requests.post(
            form["url"], data=form["fields"], files={"file": content}, timeout=60, verify=self.http.verify
        )
        assert sent.status_code == 204, sent.text
        return str(named["object_name"])

    def presign(self, object_name: str, content_type: str = "image/jpeg") -> dict[str, Any]:
        """Ask for a signed form."""
        path = f"/api/object-storage/{self.connector}/generate_presigned_url"
        answer = self.post(path, {"object_name": object_name, "content_type": content_type}).json()
        form: dict[str, Any] = answer["presigned_url_data"]
        return form

    def register(self, filename: str, object_name: str, **fields: object) -> requests.Response:
        """Make an object a data."""
        body: dict[str, object] = {
            "type": "IMAGE",
            "filename": filename,
            "object_name": object_name,
            "content_type": "image/jpeg",
            "tags": [],
            "data_source_id": None,
        }
        return self.post(f"/api/datalake/{self.datalake}/datas", body | fields)
