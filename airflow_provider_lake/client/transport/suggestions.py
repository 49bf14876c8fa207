"""Suggestions for an unknown name, from the names that the lake knows."""

from collections.abc import Callable, Iterable
from itertools import islice

from airflow_provider_lake.client.errors import LakeError
from airflow_provider_lake.text.near_names import did_you_mean

_MAX_NAMES = 1000


def suggest(name: str, list_names: Callable[[], Iterable[str]]) -> str:
    """Return the end of a sentence with names close to ``name``; empty if the lake cannot list its names.

    :param list_names: requests the names from the lake; at most 1,000 of them are compared.
    """
    try:
        return did_you_mean(name, islice(list_names(), _MAX_NAMES))
    except LakeError:
        return ""
