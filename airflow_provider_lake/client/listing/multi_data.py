"""A sequence of data, for operations on several at once."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload
from uuid import UUID

from airflow_provider_lake.client.arguments import read_list, read_number, read_seconds, read_workers
from airflow_provider_lake.client.concurrency.cancellation import cancellable_executor, pause
from airflow_provider_lake.client.errors import (
    DataTimeoutError,
    DownloadError,
    DownloadFailedError,
    LakeError,
    UsageError,
)
from airflow_provider_lake.client.listing.selection import refresh_data
from airflow_provider_lake.client.resources.data import Data
from airflow_provider_lake.client.resources.tags import Tag
from airflow_provider_lake.client.transfers.download import make_folder, save_in_folder
from airflow_provider_lake.client.transfers.error_manager import ErrorManager
from airflow_provider_lake.client.transfers.local_names import distinct_names
from airflow_provider_lake.client.transfers.progress import Progress, progress_counter
from airflow_provider_lake.client.transport.paging import chunks


class MultiData(Sequence[Data]):
    """Data of one datalake in their order.

    A slice, and the sum with other data, is again a MultiData.

    :param data: the data.
    :raises UsageError: they are of several datalakes, whereas a request concerns only one.
    """

    def __init__(self, data: Iterable[Data] = ()) -> None:
        self._data = tuple(read_list("data", data, Data))
        if len({each.datalake_id for each in self._data}) > 1:
            raise UsageError("data of several datalakes cannot be one MultiData: make one for each datalake")

    @overload
    def __getitem__(self, index: int) -> Data: ...

    @overload
    def __getitem__(self, index: slice) -> "MultiData": ...

    def __getitem__(self, index: int | slice) -> "Data | MultiData":
        return MultiData(self._data[index]) if isinstance(index, slice) else self._data[index]

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Data]:
        return iter(self._data)

    def __contains__(self, item: object) -> bool:
        return item in self._data

    def __add__(self, other: Any) -> "MultiData":
        if not isinstance(other, MultiData | list | tuple):
            return NotImplemented
        return MultiData([*self, *other])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiData) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<MultiData of {len(self)} data>"

    @property
    def ids(self) -> list[UUID]:
        """Ids of the data, in their order."""
        return [data.id for data in self]

    def split(self, ratio: float) -> "tuple[MultiData, MultiData]":
        """Split it into two parts.

        :param ratio: share of the data in the first part, 0 to 1.
        """
        if not 0 <= ratio <= 1:
            raise UsageError(f"a ratio lies between 0 and 1, {ratio} does not")
        border = round(ratio * len(self))
        return self[:border], self[border:]

    def wait_for_upload_done(self, blocking_time_increment: float = 1.0, attempts: int = 20) -> "MultiData":
        """Wait until the lake has processed all of them, successfully or not, and return them in their new state.

        :param blocking_time_increment: seconds between two polls.
        :param attempts: number of polls.
        :raises DataTimeoutError: some were not processed at the last poll.
        """
        latest = {data.id: data for data in self}
        for attempt in range(read_number("attempts", attempts)):
            pending = [data for data in latest.values() if not data.upload_status.is_final]
            if not pending:
                return MultiData(latest[data.id] for data in self)
            if attempt:
                pause(read_seconds("blocking_time_increment", blocking_time_increment))
            latest.update({data.id: data for data in refresh_data(pending)})
        pending = [data for data in latest.values() if not data.upload_status.is_final]
        if pending:
            raise DataTimeoutError(pending)
        return MultiData(latest[data.id] for data in self)

    def add_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Attach tags to all of them."""
        for tag in read_list("tags", tags, Tag):
            tag.attach_on(self)

    def remove_tags(self, tags: Tag | Iterable[Tag]) -> None:
        """Remove tags from all of them."""
        for tag in read_list("tags", tags, Tag):
            tag.detach_from(self)

    def delete(self) -> None:
        """Delete all of them, with their bytes."""
        for chunk in chunks(self):
            first = chunk[0]
            first.session.delete(f"/api/datalake/{first.datalake_id}/datas", json={"ids": [data.id for data in chunk]})

    def download(
        self,
        target_path: str | Path = "./",
        force_replace: bool = False,
        max_workers: int | None = None,
        use_id: bool = False,
        *,
        progress: Progress | None = None,
        error_manager: ErrorManager | None = None,
    ) -> list[Path]:
        """Save the bytes of each as a file, even when others fail.

        When several data have the same filename, all but the first get their id before the suffix.

        :param target_path: folder, created when missing.
        :param force_replace: replace existing files; otherwise they stay as they are.
        :param max_workers: files in transfer at the same time; None: processors plus 4.
        :param use_id: name each file after the data's id, with the extension of its filename.
        :param progress: called with the numbers of finished and of all files; None: a bar on a terminal, or log lines.
        :param error_manager: collects the errors of single files; None: they are raised once all were tried.
        :return: paths of the files that were saved, in the order of the data.
        :raises DownloadFailedError: some failed, and there is no ``error_manager``.
        """

        def save(named: tuple[Data, str]) -> Path | DownloadError:
            data, name = named
            try:
                return save_in_folder(data, folder, name, force_replace)
            except (LakeError, OSError) as error:
                return DownloadError(data.filename, f"data {data.id}: {error}", error)
            finally:
                advance()

        folder = make_folder(target_path)
        count = read_workers(max_workers) or (os.cpu_count() or 1) + 4
        with (
            progress_counter("download", len(self), progress) as advance,
            cancellable_executor(count, "lake-download") as pool,
        ):
            results = list(pool.map(save, distinct_names(self, use_id)))
        paths = [each for each in results if isinstance(each, Path)]
        errors = [each for each in results if isinstance(each, DownloadError)]
        if error_manager is None and errors:
            raise DownloadFailedError(errors, paths)
        if error_manager is not None:
            for error in errors:
                error_manager.append(error)
        return paths
