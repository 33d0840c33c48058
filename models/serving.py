"""Hot swap of model versions: the next one replaces the current one once it is warm."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

from events.decision import Millis
from events.errors import ConfigError, Problem, SignalboxError, Unavailable
from models.artifact import Artifact, BrokenModelError
from models.registry_answers import Version
from models.source import Source
from models.workflow import Workflow
from transport.clock import Clock, system_clock

log = logging.getLogger(__name__)

TRY_AGAIN_MS = 30_000
"""After how long a version that was refused is tried once more: its files may have been put right."""
START_S = 60.0
START_PAUSE_S = 1.0
STAND_IN = "0"
"""The number of what answers where there is no version: those of the registry count from 1."""


@dataclass(frozen=True, slots=True)
class Served:
    """The version that answers, since when (epoch ms), and why it is not the one that is wanted."""

    version: Version
    since: Millis
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that could not be taken, why, and until when (epoch ms) it is not tried again."""

    version: Version
    until: Millis
    trouble: str


class Serving:
    """One model in one process. `look` may run in a thread of its own; `workflow` is asked from any.

    `make` loads a version and warms it. Whoever began with a workflow goes on with it. `stand_in` makes what
    answers until there is a version, if anything may.
    """

    def __init__(
        self,
        source: Source,
        make: Callable[[Artifact], Workflow],
        clock: Clock = system_clock,
        stand_in: Callable[[], Workflow | None] = lambda: None,
    ) -> None:
        self._stand_in = stand_in
        self._source = source
        self._make = make
        self._clock = clock
        self._workflow: Workflow | None = None
        self._served: Served | None = None
        self._refused: Refused | None = None

    @property
    def workflow(self) -> Workflow:
        """The one that answers now. Raises `RuntimeError` before `start`."""
        if self._workflow is None:
            raise RuntimeError(f"{self._source.name} is not loaded yet")
        return self._workflow

    @property
    def served(self) -> Served:
        """What is known of it. Raises `RuntimeError` before `start`."""
        if self._served is None:
            raise RuntimeError(f"{self._source.name} is not loaded yet")
        return self._served

    def start(self, patience_s: float = START_S, sleep: Callable[[float], None] = time.sleep) -> None:
        """Load the version that is wanted, else one that can be had.

        Waits for a registry that is down where there is none; where it has none that can be served, the
        stand-in is loaded. Raises `ConfigError` with the reasons.
        """
        pauses = int(patience_s / START_PAUSE_S)
        for left in range(pauses, -1, -1):
            problems, waits = self._begin()
            if not problems:
                return
            if not waits and (workflow := self._stand_in()) is not None:
                return self._stand(workflow, problems)
            if not (waits and left):
                raise ConfigError(problems)
            sleep(START_PAUSE_S)

    def look(self) -> Served:
        """Take the version that is wanted, where it is another one and can be had."""
        try:
            trouble = self._follow(self._source.wanted())
        except Unavailable as error:
            trouble = str(error)
        served = self.served
        if trouble and trouble != served.trouble:
            log.warning("%s goes on with v%s: %s", self._source.name, served.version.number, trouble)
        self._served = replace(served, trouble=trouble)
        return self._served

    def _follow(self, wanted: Version | None) -> str:
        """Why another version than the one that is wanted goes on; empty if none does."""
        if wanted is None:
            standing_in = self.served.version.number == STAND_IN
            return self.served.trouble if standing_in else "no version is wanted any more"
        if wanted == self.served.version:
            return ""
        refused = self._refused
        if refused is not None and refused.version == wanted and self._clock() < refused.until:
            return refused.trouble
        try:
            self._take(wanted)
        except (BrokenModelError, ConfigError) as error:
            trouble = f"v{wanted.number} is refused: {error}"
            self._refused = Refused(wanted, self._clock() + TRY_AGAIN_MS, trouble)
            return trouble
        return ""

    def _take(self, version: Version) -> None:
        workflow = self._make(self._source.fetch(version))
        # from here on every batch that begins has the new one
        self._workflow = workflow
        self._served = Served(version, self._clock())
        self._source.served(version)
        log.info("%s: v%s is served, digest %s", self._source.name, version.number, version.digest[:12])

    def _stand(self, workflow: Workflow, problems: list[Problem]) -> None:
        trouble = "; ".join(problem.message for problem in problems)
        log.warning("%s: %s answers instead: %s", self._source.name, workflow.version.model_id, trouble)
        self._workflow = workflow
        self._served = Served(Version(STAND_IN, workflow.version.digest), self._clock(), trouble)

    def _begin(self) -> tuple[list[Problem], bool]:
        """What keeps every version from being served, if any is, and whether waiting may help."""
        problems, waits = [], False
        try:
            wanted = self._source.wanted()
        except Unavailable as error:
            wanted, waits = None, True
            problems.append(self._problem(error))
        else:
            if wanted is None:
                problems.append(self._problem("no version is there: make one with `signalbox train`"))
        for version in dict.fromkeys(chain([wanted] if wanted else [], self._source.held())):
            try:
                self._take(version)
            except SignalboxError as error:
                waits = waits or isinstance(error, Unavailable)
                problems.append(self._problem(error))
                log.warning("%s: v%s cannot be served: %s", self._source.name, version.number, error)
            else:
                return [], False
        return problems, waits

    def _problem(self, reason: object) -> Problem:
        return Problem(self._source.name, 0, "", str(reason))
