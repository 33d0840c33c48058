"""A server of the local stack has the same port at each start."""

import socket
from pathlib import Path

import pytest

from stack.embedded import free_port
from stack.ports import Ports


def test_a_server_has_the_port_that_it_had(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")
    ports = {name: first.take(name) for name in ("kafka", "redis")}
    again = Ports(tmp_path / "ports.json")
    assert {name: again.take(name) for name in ("redis", "kafka")} == ports
    assert len(set(ports.values())) == 2


def test_a_usual_port_is_taken_if_it_is_free(tmp_path: Path) -> None:
    usual = free_port()
    assert Ports(tmp_path / "ports.json").take("flower", usual) == usual


def test_a_port_on_which_another_listens_is_left_to_it(tmp_path: Path) -> None:
    port = Ports(tmp_path / "ports.json").take("kafka")
    with socket.create_server(("127.0.0.1", port)):
        other = Ports(tmp_path / "ports.json").take("kafka")
    assert other != port
    assert Ports(tmp_path / "ports.json").take("kafka") == other


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kafka": "9092"}', '{"kafka": 70000}', "null"])
def test_a_file_that_cannot_be_used_counts_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_text(text)
    assert 0 < Ports(tmp_path / "ports.json").take("kafka") < 65_536
