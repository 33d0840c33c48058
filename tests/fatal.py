"""Puts a `confluent_kafka.Producer` into its fatal state, by librdkafka's own function for such tests."""

import ctypes

from confluent_kafka import KafkaError, Producer

from tests.raw_producer import _library

# the client's object begins with Python's own header, then comes the handle
_HANDLE_AT = object.__basicsize__


def make_fatal(producer: Producer, reason: str = "by design") -> None:
    """From now on the producer takes nothing."""
    function = _library().rd_kafka_test_fatal_error
    function.restype, function.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]
    handle = ctypes.c_void_p.from_address(id(producer) + _HANDLE_AT)
    function(handle, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, reason.encode())
