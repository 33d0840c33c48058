"""The ports of the local stack's servers: the same at each start, as long as they are free."""

import json
import os
from contextlib import suppress
from pathlib import Path

from stack.embedded import free_port, is_free


class Ports:
    """Remembers in a JSON file which server had which port. A file that cannot be read counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int] = {}
        with suppress(OSError, ValueError, AttributeError):
            stored = json.loads(path.read_text())
            self._known = {
                str(name): port for name, port in stored.items() if type(port) is int and 0 < port < 65_536
            }

    def take(self, name: str, usual: int | None = None) -> int:
        """The first of these on which nothing listens: the port that `name` had, `usual`, any other."""
        wanted = (self._known.get(name), usual)
        port = next((each for each in wanted if each is not None and is_free(each)), None) or self._other()
        if self._known.get(name) != port:
            self._known[name] = port
            self._store()
        return port

    def _other(self) -> int:
        while (port := free_port()) in self._known.values():
            pass
        return port

    def _store(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(self._known, indent=1))
        os.replace(beside, self._path)
