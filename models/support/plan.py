"""Within which bounds does a version of the agent work? `config/agent.yaml`, as an operator wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from models.support.actions import Tool

OnNoLlm = Literal[
    "draft",  # a person is handed a draft out of the policies' own words
    "hand_over",  # a person is handed the ticket as it is
]


class Llm(msgspec.Struct, frozen=True, kw_only=True):
    """Which language model is asked, and how. Prices in US dollars for a million tokens.

    A request is repeated for up to `patience_s` where the endpoint is down, too busy, or answers nothing that
    can be read; one request may take `timeout_s`.
    """

    model: str
    timeout_s: float
    patience_s: float
    max_output_tokens: int
    temperature: float
    input_usd: float
    output_usd: float


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may use up before it is handed over.

    `steps` are requests to the language model, `tokens` those that go in and out in all of them, `seconds`
    the run's from its first beginning, `actions` what it may intend, `corrections` how often one draft or
    one call that does not hold is sent back, `searches` how often the policies are searched.
    """

    steps: int
    tokens: int
    seconds: float
    actions: int
    corrections: int
    searches: int


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """Of one tool in one currency, in its minor unit.

    Above `max_minor` it is refused, above `human_above_minor` a person decides; so does one from where a
    customer, or all customers together, would get more in a day.
    """

    max_minor: int
    human_above_minor: int
    per_customer_day_minor: int
    per_day_minor: int


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How many passages of the policies a search gives, out of which namespace."""

    top_k: int
    namespace: str


class AgentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a version of the agent works by, but its prompt.

    `limits` by currency (ISO 4217) and tool: what a currency or tool has none for, only a person may do.
    """

    llm: Llm
    budgets: Budgets
    search: Search
    on_no_llm: OnNoLlm
    limits: Mapping[str, Mapping[Tool, Limit]]

    def limit(self, tool: Tool, currency: str) -> Limit | None:
        """What a tool may give in a currency; None where nothing is said."""
        return self.limits.get(currency, {}).get(tool)

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """In US dollars."""
        return (input_tokens * self.llm.input_usd + output_tokens * self.llm.output_usd) / 1_000_000


def load_plan(path: Path) -> AgentPlan:
    """The plan in this file. Raises `ConfigError` with every problem, its line and its key."""
    raise NotImplementedError
