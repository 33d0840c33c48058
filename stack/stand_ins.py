"""Stand-ins for what the support agent calls, if none is configured: a scripted LLM, a small support desk."""

import sys
from pathlib import Path

from stack.embedded import Server
from transport.http import answers

SCRIPTED_LLM = "scripted LLM"
SUPPORT_DESK = "support desk"
LOOPBACK = "127.0.0.1"
SCRIPTED_MODEL = "scripted-stand-in"
"""The model that a version of the agent asks for there: nobody takes its answers for a language model's."""


def scripted_llm(port: int) -> Server:
    """An endpoint of OpenAI's kind behind which stands a script; `url` is its base."""
    url = f"http://{LOOPBACK}:{port}"
    return Server(
        SCRIPTED_LLM,
        _module("stack.scripted_llm", port),
        f"{url}/v1",
        lambda: answers(f"{url}/health"),
        durable=True,
        note="no LLM is configured: a scripted stand-in answers",
    )


def support_desk(port: int, folder: Path, bootstrap: str, token: str) -> Server:
    """A support platform with an SQLite in `folder`, which learns of orders and tickets from this Kafka."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{LOOPBACK}:{port}"
    database = f"sqlite:///{(folder / 'desk.db').resolve()}"
    return Server(
        SUPPORT_DESK,
        (*_module("stack.support_desk", port), "--database", database),
        url,
        lambda: answers(f"{url}/health"),
        durable=True,
        env={"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "SUPPORT_PLATFORM_TOKEN": token},
        note="no support platform is configured: this one pays nobody, and its page shows the tickets",
    )


def _module(name: str, port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", name, "--port", str(port))
