"""`python -m stack.scripted_llm`: a script that answers in a language model's place, until it is ended."""

import argparse
import logging

import uvicorn

from stack.scripted_llm.app import ScriptedLlm
from stack.scripted_llm.wire import NAME

LOOPBACK = "127.0.0.1"
SPEAKER = f"{NAME} (no language model)"


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m stack.scripted_llm", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.3, help="seconds that each answer takes")
    arguments = parser.parse_args()
    say(f"answers at http://{LOOPBACK}:{arguments.port}/v1, each after {arguments.delay:g} s")
    app = ScriptedLlm(arguments.delay, say).app()
    # what the server itself has to say is said under the same name
    logging.basicConfig(level=logging.WARNING, format=f"{SPEAKER}: %(message)s")
    uvicorn.run(app, host=LOOPBACK, port=arguments.port, access_log=False, log_config=None)


def say(line: str) -> None:
    """Each line says who speaks."""
    print(f"{SPEAKER}: {line}", flush=True)  # noqa: T201  # its lines are what it is run for


if __name__ == "__main__":
    main()
