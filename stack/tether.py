"""Runs a command that cannot outlive its starter: `python -I tether.py STARTER_PID COMMAND…`.

A supervisor that is killed with SIGKILL stops nobody; the kernel then sends its children the signal asked for
here (Linux; elsewhere the command simply runs). Done in a program of its own and not between fork and exec of
the supervisor, which has threads. Standard library only: it starts in isolated mode.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tethered(command: list[str]) -> list[str]:
    """The command line that runs `command` tied to this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _tie(starter: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != starter:  # it died before the line above
        sys.exit(0)


if __name__ == "__main__":
    _tie(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is what we want
