"""The plan of an agent version, from `config/agent.yaml`: model, budget and limits."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast, get_args

import msgspec
import yaml

from events.errors import ConfigError
from models.support.actions import Tool
from routing.reading import read
from routing.report import Report, nearest
from routing.section import Section

OnNoLlm = Literal[
    "draft",  # a person is handed a draft out of the policies' own words
    "hand_over",  # a person is handed the ticket as it is
]

PAYING: tuple[Tool, ...] = ("issue_refund", "send_voucher")
"""The tools that cost money, and so have limits."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_MINOR = 10**12
_TOKENS = 10**9


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
    those of each worker that takes it up, `actions` what it may intend, `corrections` how often one draft or
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
        """What a tool may give in a currency; None if nothing is said."""
        return self.limits.get(currency, {}).get(tool)

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """In US dollars."""
        return (input_tokens * self.llm.input_usd + output_tokens * self.llm.output_usd) / 1_000_000


def load_plan(path: Path) -> AgentPlan:
    """The plan in this file. Raises `ConfigError` with every problem, its line and its key."""
    report = Report(str(path))
    content = read(report, "agent")
    plan = _plan(content) if content is not None else None
    if report.problems or plan is None:
        raise ConfigError(report.in_order())
    return plan


def written(plan: AgentPlan) -> str:
    """The file that says this and nothing else: other comments make no other version."""
    return yaml.safe_dump({"agent": msgspec.to_builtins(plan)}, sort_keys=False)


def _plan(section: Section) -> AgentPlan | None:
    llm, budgets, search = section.child("llm"), section.child("budgets"), section.child("search")
    on_no_llm = section.text("on_no_llm", get_args(OnNoLlm))
    limits = section.child("limits")
    section.refuse_unknown()
    found = {each.name: _tools(each) for each in limits.children()} if limits is not None else {}
    if limits is not None and not found:
        limits.report("", "must name a currency at least: GBP")
    if llm is None or budgets is None or search is None:
        return None
    return AgentPlan(
        llm=_llm(llm),
        budgets=_budgets(budgets),
        search=_search(search),
        on_no_llm=cast(OnNoLlm, on_no_llm or "hand_over"),
        limits=found,
    )


def _llm(section: Section) -> Llm:
    llm = Llm(
        model=section.text("model") or "",
        timeout_s=section.number("timeout_s", 0.1, 600),
        patience_s=section.number("patience_s", 0, 600),
        max_output_tokens=section.whole("max_output_tokens", 1, _TOKENS),
        temperature=section.number("temperature", 0, 2),
        input_usd=section.number("input_usd", 0, 10_000),
        output_usd=section.number("output_usd", 0, 10_000),
    )
    section.refuse_unknown()
    return llm


def _budgets(section: Section) -> Budgets:
    budgets = Budgets(
        steps=section.whole("steps", 1, 100),
        tokens=section.whole("tokens", 1, _TOKENS),
        seconds=section.number("seconds", 1, 3_600),
        actions=section.whole("actions", 0, 100),
        corrections=section.whole("corrections", 0, 10),
        searches=section.whole("searches", 0, 100),
    )
    section.refuse_unknown()
    return budgets


def _search(section: Section) -> Search:
    search = Search(top_k=section.whole("top_k", 1, 50), namespace=section.text("namespace") or "")
    section.refuse_unknown()
    return search


def _tools(section: Section) -> dict[Tool, Limit]:
    if not _CURRENCY.fullmatch(section.name):
        section.report("", "must be a currency's three letters: GBP")
    found: dict[Tool, Limit] = {}
    for each in section.children():
        if each.name in PAYING:
            found[each.name] = _limit(each)
        else:
            each.report("", f"is no tool that costs money{nearest(each.name, PAYING)}")
    return found


def _limit(section: Section) -> Limit:
    limit = Limit(
        max_minor=section.whole("max_minor", 0, _MINOR),
        human_above_minor=section.whole("human_above_minor", 0, _MINOR),
        per_customer_day_minor=section.whole("per_customer_day_minor", 0, _MINOR),
        per_day_minor=section.whole("per_day_minor", 0, _MINOR),
    )
    if limit.human_above_minor > limit.max_minor:
        above = f"{limit.human_above_minor} > {limit.max_minor}"
        section.report("human_above_minor", f"human_above_minor must not be above max_minor, is {above}")
    section.refuse_unknown()
    return limit
