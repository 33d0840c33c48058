"""One command that must succeed before the next thing is started."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from stack.child import Sink
from stack.supervisor import StartError
from stack.tether import tethered

LAST_LINES = 5


def run_step(name: str, command: Sequence[str], env: Mapping[str, str], sink: Sink) -> None:
    """Run it to its end; its lines go to the sink. Raises `StartError` with its last words where it fails."""
    said: list[str] = []
    with subprocess.Popen(
        tethered(list(command)),
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                said.append(line.decode(errors="replace").rstrip())
                sink(name, said[-1])
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise StartError(
            f"{name} ended with exit code {process.returncode}: {' / '.join(said[-LAST_LINES:])}"
        )
