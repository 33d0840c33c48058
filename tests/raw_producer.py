"""A Kafka producer without Python's checks: any bytes as a header's name, any time. Uses librdkafka itself.

Clients in C, Go and Java write records that `confluent_kafka.Producer` refuses.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import confluent_kafka

RawHeaders = Sequence[tuple[bytes, bytes | None]]

_TOPIC, _PARTITION, _VALUE, _KEY, _FLAGS, _TIMESTAMP, _HEADERS = 1, 3, 4, 5, 7, 8, 10
_COPY = 2
_CONF_OK = 0
_PRODUCER = 0
_QUEUE_FULL = -184
_ANY_PARTITION = -1
_TEXT_BYTES = 512


class _Memory(ctypes.Structure):
    _fields_ = (("pointer", ctypes.c_char_p), ("size", ctypes.c_size_t))


class _Content(ctypes.Union):
    _fields_ = (
        ("text", ctypes.c_char_p),
        ("flags", ctypes.c_int),
        ("i32", ctypes.c_int32),
        ("i64", ctypes.c_int64),
        ("memory", _Memory),
        ("pointer", ctypes.c_void_p),
        ("padding", ctypes.c_char * 64),
    )


class _Argument(ctypes.Structure):
    """`rd_kafka_vu_t`: one tagged argument of `rd_kafka_produceva`."""

    _fields_ = (("tag", ctypes.c_int), ("content", _Content))


_Delivered = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.c_void_p)


class RawProducerError(Exception):
    """librdkafka refused a setting or a record, or Kafka did; says which."""


class RawProducer:
    """Writes what it is handed. Settings are librdkafka's, by name. Use it as a context: leaving flushes."""

    def __init__(self, bootstrap: str, **settings: object) -> None:
        self._library = _library()
        self.failed: list[int] = []
        """The error codes of records that Kafka did not take."""
        # kept: librdkafka calls it as long as the handle lives; a message begins with its error code
        self._on_error = _Delivered(lambda _handle, message, _opaque: self.failed.append(message[0]))
        self._handle = self._connect(
            {"bootstrap.servers": bootstrap, "delivery.report.only.error": "true", "linger.ms": 5} | settings
        )

    def __enter__(self) -> "RawProducer":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.flush()
        finally:
            self._library.rd_kafka_destroy(self._handle)

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: RawHeaders = (),
        timestamp: int = 0,
        partition: int = _ANY_PARTITION,
    ) -> None:
        """Queue one record; waits while the queue is full. Raises `RawProducerError`.

        `timestamp` is in epoch milliseconds, or whatever it shall be; of 0 librdkafka makes the time of now.
        """
        while (code := self._produce(topic, value, key, headers, timestamp, partition)) == _QUEUE_FULL:
            self._library.rd_kafka_poll(self._handle, 50)
        if code:
            raise RawProducerError(f"{topic}: {self._library.rd_kafka_err2str(code).decode()}")
        self._library.rd_kafka_poll(self._handle, 0)

    def flush(self, seconds: float = 60) -> None:
        """Wait until Kafka has answered for every record. Raises `RawProducerError` after `seconds`."""
        code = self._library.rd_kafka_flush(self._handle, int(seconds * 1_000))
        if code:
            raise RawProducerError(f"flush: {self._library.rd_kafka_err2str(code).decode()}")

    def _connect(self, settings: dict[str, object]) -> int:
        text = ctypes.create_string_buffer(_TEXT_BYTES)
        conf = self._library.rd_kafka_conf_new()
        for name, content in settings.items():
            said = self._library.rd_kafka_conf_set(
                conf, name.encode(), str(content).encode(), text, _TEXT_BYTES
            )
            if said != _CONF_OK:
                raise RawProducerError(text.value.decode())
        self._library.rd_kafka_conf_set_dr_msg_cb(conf, self._on_error)
        handle: int | None = self._library.rd_kafka_new(_PRODUCER, conf, text, _TEXT_BYTES)
        if handle is None:
            raise RawProducerError(text.value.decode())
        return handle

    def _produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: RawHeaders,
        timestamp: int,
        partition: int,
    ) -> int:
        own = self._library.rd_kafka_headers_new(len(headers))
        for name, content in headers:
            size = 0 if content is None else len(content)
            self._library.rd_kafka_header_add(own, name, len(name), content, size)
        arguments = (_Argument * 7)(
            _Argument(_TOPIC, _Content(text=topic.encode())),
            _Argument(_FLAGS, _Content(flags=_COPY)),
            _Argument(_PARTITION, _Content(i32=partition)),
            _Argument(_VALUE, _Content(memory=_Memory(value, len(value or b"")))),
            _Argument(_KEY, _Content(memory=_Memory(key, len(key or b"")))),
            _Argument(_TIMESTAMP, _Content(i64=timestamp)),
            _Argument(_HEADERS, _Content(pointer=own)),
        )
        error = self._library.rd_kafka_produceva(self._handle, arguments, len(arguments))
        if not error:
            return 0  # the headers are librdkafka's now
        code = int(self._library.rd_kafka_error_code(error))
        self._library.rd_kafka_error_destroy(error)
        self._library.rd_kafka_headers_destroy(own)
        return code


@cache
def _library() -> Any:
    """The librdkafka that `confluent_kafka` itself has loaded."""
    folder = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    library = ctypes.CDLL(str(next(folder.glob("librdkafka-*.so*"))))
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (ctypes.c_int, [pointer, text, text, text, size]),
        "rd_kafka_conf_set_dr_msg_cb": (None, [pointer, _Delivered]),
        "rd_kafka_new": (pointer, [ctypes.c_int, pointer, text, size]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_poll": (ctypes.c_int, [pointer, ctypes.c_int]),
        "rd_kafka_flush": (ctypes.c_int, [pointer, ctypes.c_int]),
        "rd_kafka_err2str": (text, [ctypes.c_int]),
        "rd_kafka_headers_new": (pointer, [size]),
        "rd_kafka_header_add": (ctypes.c_int, [pointer, text, ctypes.c_ssize_t, text, ctypes.c_ssize_t]),
        "rd_kafka_headers_destroy": (None, [pointer]),
        "rd_kafka_produceva": (pointer, [pointer, ctypes.POINTER(_Argument), size]),
        "rd_kafka_error_code": (ctypes.c_int, [pointer]),
        "rd_kafka_error_destroy": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
