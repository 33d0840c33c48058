"""Which orders were fraud? What a player knows and no event carries, for whoever counts the fraud caught."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from stack.emission import Emission


class Label(msgspec.Struct, frozen=True):
    """The truth about one order: the number of its fraud scenario, 0 for an honest one."""

    event_id: str
    fraud: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Label).decode


class LabelWriter:
    """Appends a line of JSON for each order to a file; `note` is a player's `on_sent`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def note(self, emission: Emission) -> None:
        """Remember an emission, if it is an order that was not sent before."""
        if emission.fraud is not None and not emission.repeats:
            self._file.write(_encode(Label(emission.event_id, emission.fraud)) + b"\n")


def read_labels(path: Path) -> dict[str, int]:
    """The scenario of each order by its event id. A last line that is not whole yet is left out."""
    return {label.event_id: label.fraud for label in _labels(path)}


def _labels(path: Path) -> Iterator[Label]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield _decode(line)
