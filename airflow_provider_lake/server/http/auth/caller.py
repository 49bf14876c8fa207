"""The caller of a request."""

from dataclasses import dataclass
from uuid import UUID

from airflow_provider_lake.server.errors import ForbiddenError
from airflow_provider_lake.server.http.auth import job_tokens


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, as identified by the token.

    :param job_id: the job whose own token was used; None for a user's token.
    :param datalake_id: the one datalake that a job's token gives access to.
    """

    user_id: UUID
    organization_id: UUID
    job_id: UUID | None = None
    datalake_id: UUID | None = None

    def check_datalake(self, datalake_id: UUID) -> None:
        """Check that the caller may use a datalake.

        :raises ForbiddenError: the token is that of a job on another datalake.
        """
        if self.datalake_id not in {None, datalake_id}:
            raise ForbiddenError(job_tokens.REFUSAL)
