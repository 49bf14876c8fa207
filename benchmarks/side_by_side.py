"""What the comparisons of the two clients share: what a run took, and the table of several."""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.canned_lake import TOKEN

# In the order of their turns.
CLIENTS = ("published", "ours")


def silence_published() -> None:
    """Keep the published client, not imported so far, from logging and from drawing bars."""
    os.environ |= {"PICSELLIA_SDK_CUSTOM_LOGGING": "1", "TQDM_DISABLE": "1"}


def published_datalake(url: str) -> Any:
    """Return the datalake of the published client."""
    silence_published()
    import picsellia  # noqa: PLC0415 - reads the environment when it is imported

    return picsellia.Client(TOKEN, host=url).get_datalake()


def report(work: Callable[[], object]) -> None:
    """Do some work and print what it took, as JSON: seconds, CPU seconds, bytes that the process grew by."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    kept = work()
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    del kept
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": (after.ru_maxrss - before.ru_maxrss) * 1024}))


def table(title: str, unit: str, amount: float, rounds: Sequence[Sequence[dict[str, float]]]) -> None:
    """Print the medians of several rounds of both clients, and how they compare.

    :param amount: units of work in each run.
    :param rounds: what each client reported, in the order of CLIENTS.
    """
    medians = [
        {what: statistics.median(each[what] for each in several) for what in several[0]}
        for several in zip(*rounds, strict=True)
    ]
    print(f"\n{title}\n\n| client | {unit}s/s | CPU ms per 1,000 {unit}s | memory grown by, MB |\n|---|---|---|---|")
    for client, each in zip(CLIENTS, medians, strict=True):
        cpu = each["cpu"] * 1e6 / amount
        print(f"| {client} | {amount / each['seconds']:,.0f} | {cpu:,.1f} | {each['memory'] / 1e6:.0f} |")
    theirs, ours = medians
    print(f"| ratio | {theirs['seconds'] / ours['seconds']:.1f} times | 1/{theirs['cpu'] / ours['cpu']:.1f} | |")
