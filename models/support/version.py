"""A version of the agent: prompt, plan and tools, registered together as a model is."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from events.errors import ConfigError
from features.contract import Contract, Need
from features.retail import DEFINITIONS
from models.artifact import Artifact, BrokenModelError
from models.contracts import contract_of
from models.support.actions import ARGUMENTS
from models.support.draft import Draft
from models.support.plan import AgentPlan, load_plan, written
from models.support.searching import SEARCH, SearchPolicies
from models.workflow import ModelVersion

log = logging.getLogger(__name__)

MODEL: Final = "ai-support-agent"
CUSTOMER: Final = "customer"
NEEDS: Final = (Need("lifetime_value"), Need("order_count"), Need("prev_escalations"))
"""What the agent is told of a customer; of one whom nobody knows yet, zeros."""

PROMPT_FILE: Final = "prompt.md"
PLAN_FILE: Final = "agent.yaml"
TOOLS_FILE: Final = "tools.json"

_WORDS = ("title", "description")


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """A registered version: by what it works, and what it reads of the ticket's customer."""

    version: ModelVersion
    plan: AgentPlan
    prompt: str
    needs: Contract


def files_of(plan: AgentPlan, prompt: str) -> Mapping[str, bytes]:
    """The files of a version, by name."""
    return {PROMPT_FILE: prompt.encode(), PLAN_FILE: written(plan).encode(), TOOLS_FILE: tools_json()}


def tools_json() -> bytes:
    """The JSON Schemas of the tools and of the draft, as this code has them."""
    schemas = {name: arguments.model_json_schema() for name, arguments in ARGUMENTS.items()}
    search = {SEARCH: SearchPolicies.model_json_schema()}
    said = {"tools": search | schemas, "draft": Draft.model_json_schema()}
    return msgspec.json.format(msgspec.json.encode(said, order="deterministic"), indent=2) + b"\n"


def load_version(artifact: Artifact) -> AgentVersion:
    """Read a version. Raises `BrokenModelError` if it is not whole, or this code has other tools."""
    needs = contract_of(artifact, DEFINITIONS, (), (CUSTOMER,))
    prompt = artifact.read_text(PROMPT_FILE)
    artifact.read(PLAN_FILE)  # that it is the file which was registered
    try:
        plan = load_plan(artifact.path / PLAN_FILE)
    except ConfigError as error:
        raise BrokenModelError(artifact.path, f"its plan cannot be used: {error}") from error
    _compare_tools(artifact)
    return AgentVersion(ModelVersion.of(artifact), plan, prompt, needs)


def _compare_tools(artifact: Artifact) -> None:
    """Other wording is said; other arguments are refused, since its journals could not be read."""
    try:
        registered = msgspec.json.decode(artifact.read(TOOLS_FILE))
    except msgspec.DecodeError as error:
        raise BrokenModelError(artifact.path, f"{TOOLS_FILE} cannot be read: {error}") from error
    here = msgspec.json.decode(tools_json())
    if _bare(registered) != _bare(here):
        way_out = "register it anew with `signalbox agent register`"
        raise BrokenModelError(artifact.path, f"its tools are not those of this code: {way_out}")
    if registered != here:
        log.warning("%s: this code describes the tools in other words than the version", artifact.path)


def _bare(schema: Any) -> Any:
    """A JSON Schema without what is only said of it."""
    if isinstance(schema, dict):
        return {name: _bare(value) for name, value in schema.items() if not _said(name, value)}
    return [_bare(each) for each in schema] if isinstance(schema, list) else schema


def _said(name: str, value: object) -> bool:
    # a property may be called so, too: that one is a schema
    return name in _WORDS and isinstance(value, str)
