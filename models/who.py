"""The user to whom a training or a change is attributed."""

import getpass
import os

VARIABLE = "SIGNALBOX_USER"


def who() -> str:
    """What the environment says, else the login name."""
    if name := os.environ.get(VARIABLE):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have an id and no name
        return f"uid {os.getuid()}"
