"""Registers a version of the support agent. Nothing is fitted; its retrieval is measured."""

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from events.errors import ConfigError, Problem
from features.contract import Contract
from features.retail import DEFINITIONS
from models.artifact import Metadata
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.support.plan import AgentPlan
from models.support.policies import Policies
from models.support.questions import Questions, ask_all, recall
from models.support.search import TOP, PolicyIndex
from models.support.version import MODEL, NEEDS, files_of
from models.who import who
from training.provenance import git_commit
from training.saving import save

LEAST_RECALL = 0.8
"""A version whose search finds less of what answers the questions is not registered."""


def make(
    plan: AgentPlan, prompt: str, policies: Policies, questions: Questions, folder: Path
) -> tuple[Path, Metadata]:
    """Measure and save under `folder`. The same files and policies give the same digest.

    Raises `ConfigError` if the plan asks for what the policies do not have, or the search finds too
    little.
    """
    metrics = measure(policies, questions)
    refuse_unfit(plan, prompt, policies, metrics)
    return save(
        folder, files_of(plan, prompt), recipe(plan, policies, questions, metrics), provenance(policies)
    )


def measure(policies: Policies, questions: Questions) -> dict[str, float]:
    """How much of what answers the questions is found, by words alone: what every process can do."""
    found = ask_all(PolicyIndex(policies), questions.asked, TOP)
    return {f"recall_at_{k}": recall(found, k) for k in (1, TOP)}


def refuse_unfit(plan: AgentPlan, prompt: str, policies: Policies, metrics: Mapping[str, float]) -> None:
    """Raises `ConfigError` with all that keeps the version from being one."""
    problems = []
    namespace, found = plan.search.namespace, metrics[f"recall_at_{TOP}"]
    if namespace not in policies.namespaces:
        known = ", ".join(policies.namespaces)
        problems.append(("search.namespace", f"no policy is in {namespace}; there are {known}"))
    if not prompt.strip():
        problems.append(("prompt", "is empty"))
    if found < LEAST_RECALL:
        problems.append(
            ("search", f"finds {found:.0%} of what answers the questions, not {LEAST_RECALL:.0%}")
        )
    if problems:
        raise ConfigError(Problem(MODEL, 0, key, message) for key, message in problems)


def recipe(plan: AgentPlan, policies: Policies, questions: Questions, metrics: Mapping[str, float]) -> Recipe:
    """All that decides what the version answers, besides its files."""
    return Recipe(
        model=MODEL,
        data=_summary(policies, questions),
        parameters=_flat(plan),
        metrics=dict(metrics),
        payload=(),
        needs=NEEDS,
        feature_hash=Contract.of(DEFINITIONS, NEEDS).hash,
        signature=Signature(
            inputs=(Column("ticket", "string"), *(Column(need.feature) for need in NEEDS)),
            outputs=(Column("outcome", "string"), Column("reply", "string")),
        ),
    )


def provenance(policies: Policies) -> Provenance:
    """Of a version that is made now. What stands still for it is the policies, and not the offline store."""
    libraries = {name: version(name) for name in ("pydantic", "msgspec")}
    return Provenance(
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        trained_by=who(),
        git_commit=git_commit(),
        libraries={"python": platform.python_version(), **libraries},
        snapshot=f"policies {policies.digest[:12]}",
    )


def _summary(policies: Policies, questions: Questions) -> DataSummary:
    days = sorted(document.effective for document in policies.documents)
    answered = [question for question in questions.asked if question.answered_by]
    return DataSummary(
        first=days[0],
        last=days[-1],
        ranges={"policies": f"{days[0]} to {days[-1]}"},
        rows={"policies": len(days), "parts": len(policies.parts), "questions": len(questions.asked)},
        labels={"questions.answered": len(answered)},
        sha256=hashlib.sha256(f"{policies.digest} {questions.digest}".encode()).hexdigest(),
    )


def _flat(plan: AgentPlan) -> dict[str, str | int | float | bool]:
    """The plan with dots between its keys, as a registry shows parameters."""
    said: dict[str, str | int | float | bool] = {}

    def go(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                go(f"{prefix}.{key}" if prefix else key, each)
        elif isinstance(value, str | int | float):
            said[prefix] = value

    go("", msgspec.to_builtins(plan))
    return said
