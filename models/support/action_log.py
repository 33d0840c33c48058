"""What became of a run's actions, written to its journal: `models.support.acting.ActionLog` in steps."""

from collections.abc import Callable

from sqlalchemy import Connection

from events.decision import Millis
from models.support import spending
from models.support.acting import Intent
from models.support.actions import money_of, tool_of
from models.support.journal import JournaledRun
from models.support.platform import Receipt
from models.support.standing import intended
from models.support.steps import Confirmed, Intended, NotSent, Refused, Sent, Unknown, Withdrawn


class JournaledActions:
    """Every method raises `LeaseLostError` if another worker has the ticket now, and `Unavailable`."""

    def __init__(self, run: JournaledRun, tenant_id: str) -> None:
        self._run = run
        self._tenant_id = tenant_id
        self._intended = intended(run.steps)

    def sending(self, intent: Intent, now: Millis) -> None:
        """It is about to be sent, at `now` (epoch ms)."""
        self._run.append(Sent(intent.key, now))

    def not_sent(self, intent: Intent) -> None:
        """It was about to be sent, and surely did not arrive."""
        self._run.append(NotSent(intent.key))

    def confirmed(self, intent: Intent, receipt: Receipt) -> None:
        """It was carried out."""
        self._run.append(Confirmed(intent.key, receipt.reference))

    def refused(self, intent: Intent, reason: str) -> None:
        """It was not carried out, and never will be: what it would have cost is free again."""
        self._run.append(Refused(intent.key, reason), within=self._given_back([self._intended[intent.key]]))

    def unknown(self, intent: Intent, reason: str) -> None:
        """It is unknown whether it was carried out: what it costs stays spent, and a person looks."""
        self._run.append(Unknown(intent.key, reason))

    def withdraw(self, intents: tuple[Intent, ...]) -> None:
        """None of these was sent, and none will be."""
        if intents:
            given_back = self._given_back([self._intended[intent.key] for intent in intents])
            self._run.append(*(Withdrawn(intent.key) for intent in intents), within=given_back)

    def _given_back(self, steps: list[Intended]) -> Callable[[Connection], None]:
        def give_back(connection: Connection) -> None:
            # a purse's tool comes first in the order in which everybody locks them; each tool gives once
            for step in sorted(steps, key=lambda step: tool_of(step.action)):
                money = money_of(step.action)
                if money is not None:
                    spending.give_back(connection, self._tenant_id, step.purses, money.amount_minor)

        return give_back
