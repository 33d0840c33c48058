"""Deadline of a whole HTTP response: a client's timeout only bounds each read."""

from collections.abc import Iterator, Mapping

import httpx2

from transport.clock import Clock


def ask(
    client: httpx2.Client,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    content: bytes | str | None,
    connect_s: float,
    within_s: float,
    clock: Clock,
) -> httpx2.Response:
    """The answer with its body. Raises `httpx2.RequestError`: `ReadTimeout` where it drips.

    After `within_s` no more of the body is read; a read that began before may take as long once more. The
    headers are read to their end, whatever their pace: the library leaves no way in between.
    """
    until = clock() + within_s * 1_000
    timeout = httpx2.Timeout(within_s, connect=min(connect_s, within_s))
    with client.stream(method, path, headers=headers, content=content, timeout=timeout) as response:
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Timely(response.stream, until, clock)
        response.read()
    return response


class _Timely(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, until: float, clock: Clock) -> None:
        self._stream = stream
        self._until = until
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield chunk
            if self._clock() >= self._until:
                raise httpx2.ReadTimeout("the answer was not there in time")

    def close(self) -> None:
        self._stream.close()
