"""Attach tags to data of the lake, and detach them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_lake.arguments import check_constants, read_names
from airflow_provider_lake.exceptions import permanent_errors
from airflow_provider_lake.operators.base_data import DataSelectingOperator
from airflow_provider_lake.tasks.resume import is_first_try
from airflow_provider_lake.tasks.summaries import TagSummary

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_lake.client import Data, Datalake, Tag


class TagDataOperator(DataSelectingOperator):
    """Attach tags to the selected data, and detach others from them.

    The arguments of :class:`DataSelectingOperator` select the data. Data that already have an attached tag, or lack a
    detached one, are not changed, so that the task can safely be retried.

    Returns ``{"datalake", "data_count", "attached", "detached"}``.

    :param attach: names of data tags to attach, created if missing (templated).
    :param detach: names of data tags to detach (templated).
    """

    template_fields: Sequence[str] = (*DataSelectingOperator.template_fields, "attach", "detach")

    def __init__(
        self, *, attach: str | Sequence[str] | None = None, detach: str | Sequence[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.attach = attach
        self.detach = detach
        check_constants(read_names, attach=attach, detach=detach)

    def execute(self, context: "Context") -> dict[str, Any]:
        """Change the tags of the data, a page at a time."""
        attach, detach = read_names("attach", self.attach), read_names("detach", self.detach)
        with permanent_errors():
            _check_tags(attach, detach)
            datalake = self.get_datalake()
            # A tag to detach that does not exist is most likely a typo: fail before anything is changed.
            detach_tags = [datalake.get_data_tag(name) for name in detach]
            count = self._change(datalake, attach, detach_tags, is_retry=bool(context) and not is_first_try(context))
        summary: TagSummary = {
            "datalake": datalake.name,
            "data_count": count,
            "attached": attach,
            "detached": detach,
        }
        return self.report(summary)

    def _change(
        self, datalake: "Datalake", attach: Sequence[str], detach_tags: "Sequence[Tag]", *, is_retry: bool
    ) -> int:
        from airflow_provider_lake.client import NoDataError
        from airflow_provider_lake.client.transport.paging import chunks

        count = 0
        attach_tags: list[Tag] = []
        try:
            for page in chunks(self.select_data(datalake)):
                # Create the tags only once there are data to attach them to.
                attach_tags = attach_tags or [datalake.get_or_create_data_tag(name) for name in attach]
                _change_page(page, attach_tags, detach_tags)
                count += len(page)
                self.log.info("%d data tagged", count)
        except (NoDataError, AirflowSkipException):
            # No data has the tag of the selection any more: an earlier try has already detached it from all of them.
            if not (is_retry and {tag.name for tag in detach_tags} & set(read_names("tags", self.tags))):
                raise
        return count


def _change_page(page: "Sequence[Data]", attach_tags: "Sequence[Tag]", detach_tags: "Sequence[Tag]") -> None:
    # Attach first: if the task dies in between, its retry still finds the data by the tag to be detached.
    for tag in attach_tags:
        tag.attach_on(page)
    for tag in detach_tags:
        tag.detach_from(page)


def _check_tags(attach: Sequence[str], detach: Sequence[str]) -> None:
    from airflow_provider_lake.client import UsageError

    if not (attach or detach):
        raise UsageError("no tag given: say which to attach or detach")
    both = set(attach) & set(detach)
    if both:
        raise UsageError(f"tag {min(both)!r} is given to attach and to detach")
