"""Who asks."""

from dataclasses import dataclass
from uuid import UUID

from airflow_provider_lake.server.errors import ForbiddenError
from airflow_provider_lake.server.http.auth import job_tokens


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    :param job_id: the job whose own token was used; None for a person's token.
    :param datalake_id: the one datalake that a job's token is good for.
    """

    user_id: UUID
    organization_id: UUID
    job_id: UUID | None = None
    datalake_id: UUID | None = None

    def check_datalake(self, datalake_id: UUID) -> None:
        """Let a datalake be used.

        :raises ForbiddenError: the token is a job's, whose datalake is another one.
        """
        if self.datalake_id not in {None, datalake_id}:
            raise ForbiddenError(job_tokens.REFUSAL)
