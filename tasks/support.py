"""The support agent as a Celery task: a pool of threads, each with one ticket in its hands."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr

from models.artifact import Artifact, BrokenModelError
from models.support.masking import mask_loggers
from models.support.version import MODEL
from models.workflow import Workflow
from tasks.celery import app, settings
from tasks.equipment import Equipment
from tasks.policy import Limits
from tasks.served import ServedTask

if TYPE_CHECKING:
    from models.support.assignment import Surroundings
    from models.support.journal import Journal
    from models.support.search import PolicyIndex


class Resolve(ServedTask):
    """Resolves a ticket, or hands it to a person with what is known."""

    name = "tasks.support.resolve"
    model = MODEL
    # of 32 tickets in a process one may be to blame for its end, and after two losses its time is over: a
    # person has it before anything is asked
    max_losses = 10

    def equip(self, equipment: Equipment, limits: Limits) -> None:
        """Connect, and read the policies, before a version is loaded."""
        # its client tells of each request, and a ticket makes a dozen
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        mask_loggers("", "celery", "celery.task")
        super().equip(equipment, limits)

    def load(self, artifact: Artifact) -> Workflow:
        """This version, with the policies as they were when the process began."""
        try:
            # imported where tickets are worked on: 2 s, and nobody else needs these libraries
            import models.support.platform_http  # noqa: F401  # to learn now, and not of a ticket, that it is not there
            from models.support.workflow import SupportAgent
        except ImportError as error:
            # pydantic-ai says of what it lacks itself that it cannot be imported
            reason = f"its libraries are not installed here ({error}): pip install 'signalbox[agent]'"
            raise BrokenModelError(artifact.path, reason) from error
        return SupportAgent.load(artifact, self.journal, self.around)

    @cached_property
    def journal(self) -> "Journal":
        """The runs of all tickets: one for all versions that this process comes to serve."""
        from models.support.journal import Journal
        from transport.database import open_database

        journal = Journal(open_database(settings.database_url), self.clock)
        journal.create()
        return journal

    @cached_property
    def around(self) -> "Surroundings":
        """The endpoint, the policies and the support platform, for all threads."""
        from models.support.assignment import Surroundings
        from models.support.llm import Endpoint
        from models.support.platform_http import connect_platform
        from models.support.spending import day_of

        token, zone = _said(settings.support_platform_token), settings.time_zone
        return Surroundings(
            connect=Endpoint(settings.llm, _said(settings.llm_key)).connect,
            policies=self._policies(),
            platform=connect_platform(
                settings.support_platform_url, token, key_life=settings.support_platform_key_life
            ),
            day_of=lambda now: day_of(now, zone),
            clock=self.clock,
            stopping=self.stopping,
        )

    def _policies(self) -> "PolicyIndex":
        from models.support.search import open_policies

        key = _said(settings.llm_key)
        return open_policies(settings.policies, settings.llm, key, settings.embedding_model, self.clock)


def _said(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


resolve = app.register_task(Resolve())
