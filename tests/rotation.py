"""A token that is rotated: a new one is given out, and the old one is revoked."""

import hashlib
from contextlib import redirect_stdout
from io import StringIO

from airflow_provider_lake.cli.main import main
from tests.lake_process import LakeProcess

_ID_LENGTH = 12


class RotatedToken:
    """The tokens of a user of the lake's own organization, one after the other.

    :param user: a name that the lake does not have yet.
    """

    def __init__(self, lake: LakeProcess, user: str) -> None:
        self._lake = lake
        self.old = self._run("user", "add", user)
        self.new = self._run("token", "add", user)

    def revoke_old(self) -> None:
        """Make the old one void, at once."""
        self._run("token", "revoke", hashlib.sha256(self.old.encode()).hexdigest()[:_ID_LENGTH])

    def _run(self, *command: str) -> str:
        said = StringIO()
        with redirect_stdout(said):
            assert main([*command, "--data-dir", str(self._lake.data_dir)]) == 0
        return said.getvalue().strip()
