"""A storage that takes parts and drops them unread, in a process of its own.

Beside nginx, which drops some 2,000 MiB/s of a body that it need not read, one would measure nginx.
"""

import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_DROPPED_AT_A_TIME = 1 << 22


@contextmanager
def sink(etag: str) -> Iterator[str]:
    """Serve PUT requests, and yield the URL.

    :param etag: in every answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = multiprocessing.Process(target=_serve, args=(server, etag), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/part"
        finally:
            process.terminate()
            process.join()


def _serve(server: socket.socket, etag: str) -> None:
    while True:
        threading.Thread(target=_take, args=(server.accept()[0], etag), daemon=True).start()


def _take(connection: socket.socket, etag: str) -> None:
    answer = f'HTTP/1.1 200 OK\r\nETag: "{etag}"\r\nContent-Length: 0\r\n\r\n'.encode()
    dropped = bytearray(_DROPPED_AT_A_TIME)
    with connection:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(1 << 16)
                if not more:
                    return
                head += more
            head, _, begun = head.partition(b"\r\n\r\n")
            left = _length(head) - len(begun)
            while left:
                # So the kernel drops the bytes without copying them.
                left -= connection.recv_into(dropped, min(left, len(dropped)), socket.MSG_TRUNC)
            connection.sendall(answer)


def _length(head: bytes) -> int:
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in fields if name == b"content-length")
