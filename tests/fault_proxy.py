"""An HTTP proxy that breaks a share of the exchanges it carries, in every way that networks and servers do; seeded."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

_LIMIT = 1 << 20


class Fault(Enum):
    """What becomes of an exchange."""

    CLOSED_BEFORE = "closed before the lake has the request"
    CLOSED_AFTER = "closed after the lake has acted"
    UNAVAILABLE = "503"
    LIMITED = "429 with Retry-After"
    TRUNCATED = "answer cut off"
    STALLED = "answer that stalls"


@dataclass
class FaultProxy:
    """What a proxy does, and what it has done.

    :param url: to use in place of the lake's own.
    :param share: of all exchanges that are to be broken, 0 to 1.
    :param exchanges: carried so far, the broken ones included.
    :param faults: how many were broken in each way.
    :param in_vain: connections made while the lake itself took none.
    :param watch: is shown each request, as a whole, before its fate is decided.
    """

    url: str
    share: float
    seed: int
    stall_seconds: float
    retry_after_seconds: int
    exchanges: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    in_vain: int = 0
    watch: Callable[[bytes], None] | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self) -> Fault | None:
        """Decide about the next exchange."""
        self.exchanges += 1
        if self._random.random() >= self.share:
            return None
        fault = self._random.choice(list(Fault))
        self.faults[fault] += 1
        return fault


@contextmanager
def fault_proxy(
    url: str, share: float, seed: int, *, stall_seconds: float = 2.0, retry_after_seconds: int = 1
) -> Iterator[FaultProxy]:
    """Carry exchanges to a lake and its storage, and break some.

    :param url: the lake's own.
    :param share: of the exchanges to break, 0 to 1.
    """
    proxy = FaultProxy("", share, seed, stall_seconds, retry_after_seconds)
    target = urlsplit(url)
    loop = asyncio.new_event_loop()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled when the proxy ends, while connections wait for more.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port, limit=_LIMIT)
            except OSError:
                proxy.in_vain += 1
                raise
            try:
                while await _carry_one(proxy, (reader, writer), (up_reader, up_writer)):
                    pass
            finally:
                up_writer.close()
        writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(carry, "127.0.0.1", 0, limit=_LIMIT, backlog=256)

    server = loop.run_until_complete(start())
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _carry_one(proxy: FaultProxy, client: Pair, upstream: Pair) -> bool:
    """Carry one exchange; return whether the connection is good for another."""
    request = await _read_message(client[0], is_answer=False)
    if request is None:
        return False
    if proxy.watch is not None:
        proxy.watch(request)
    fault = proxy.draw()
    if fault is Fault.CLOSED_BEFORE:
        return False
    if fault in {Fault.UNAVAILABLE, Fault.LIMITED}:
        await _send(client[1], _refusal(fault, proxy.retry_after_seconds))
        return True
    await _send(upstream[1], request)
    answer = await _read_message(upstream[0], is_answer=True)
    if answer is None or fault is Fault.CLOSED_AFTER:
        return False
    if fault is Fault.TRUNCATED:
        await _send(client[1], answer[: max(1, len(answer) - max(1, len(answer) // 3))])
        return False
    if fault is Fault.STALLED:
        await _send(client[1], answer[:10])
        await asyncio.sleep(proxy.stall_seconds)
        answer = answer[10:]
    await _send(client[1], answer)
    return True


def _refusal(fault: Fault, retry_after_seconds: int) -> bytes:
    if fault is Fault.LIMITED:
        head = f"429 Too Many Requests\r\nRetry-After: {retry_after_seconds}"
    else:
        head = "503 Service Unavailable"
    return f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode()


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()


async def _read_message(reader: asyncio.StreamReader, *, is_answer: bool) -> bytes | None:
    """Read a request or an answer with its body; None: the connection has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "chunked" in fields.get("transfer-encoding", ""):
        return head + await _read_chunks(reader)
    length = int(fields.get("content-length", 0))
    if is_answer and first.split()[1] in {"204", "304"}:
        length = 0
    return head + await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2)]
        if not size:
            return b"".join(parts)
