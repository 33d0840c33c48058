"""The fate of a trained version, by the verdict of the gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from events.errors import ConfigError
from models.artifact import Artifact, BrokenModelError, Metadata
from models.fraud import MODEL
from models.recipe import Recipe
from models.runs import LeaseLostError
from routing import load as load_rules
from tests.trained import PROVENANCE
from tests.unit.models.plans import PLAN
from training.bench import IncomparableError
from training.challenging import Bounds, Challenge, Verdict
from training.fraud import Trained
from training.gate import Skew
from training.registering import Registered
from training.reporting import summary, write_report

SKEW = Skew(5_000, {})


@dataclass
class Shelf:
    """A registry in memory, whose champion is what a test says."""

    champion: Artifact | BrokenModelError | None = None
    registered: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)

    def fetch(self, model: str, alias: str, folder: Path) -> Artifact | None:
        assert (model, alias) == (MODEL, "champion")
        if isinstance(self.champion, BrokenModelError):
            raise self.champion
        return self.champion

    def register(self, artifact: Artifact, tags: Mapping[str, str]) -> Registered:
        self.registered.append(artifact.metadata.digest)
        return Registered(MODEL, "4", artifact.metadata.digest, fresh=True)

    def name_challenger(self, made: Registered) -> None:
        self.aliases["challenger"] = made.version


@dataclass
class Scores:
    """A bench that has looked up the score of each version."""

    champion: float
    latency: float = 1.0

    def metrics(self, version: Artifact) -> Mapping[str, float]:
        if self.champion < 0:
            raise BrokenModelError(version.path, "its features are gone")
        if self.champion > 1:
            raise IncomparableError("looks 7 days ahead, and not 30")
        return {"average_precision": self.champion}

    def latency_ms(self, version: Artifact, batch: int) -> float:
        return self.latency


def artifact(recipe: Recipe, version: str, trees: bytes = b"trees") -> Artifact:
    return Artifact(Path(version), version, Metadata.of({"model.txt": trees}, recipe, PROVENANCE))


@pytest.fixture
def candidate(trained: Trained) -> Artifact:
    return artifact(trained.metadata.recipe, "draft")


def decide(
    candidate: Artifact, shelf: Shelf, champion_scores: float = 0.0, confirm: object = None, **bench: float
) -> Verdict:
    def lost() -> None:
        raise LeaseLostError("another training began")

    challenge = Challenge(
        registry=shelf,
        plan=PLAN,
        bounds=Bounds(64, 100),
        skew=lambda: SKEW,
        confirm=lost if confirm == "lost" else lambda: None,
        name_challenger=shelf.name_challenger,
        tags={},
    )
    return challenge.decide(candidate, Scores(champion_scores, **bench), Path("champion"))


def test_the_first_version_is_registered_and_is_the_challenger(candidate: Artifact) -> None:
    shelf = Shelf()
    verdict = decide(candidate, shelf)
    assert (verdict.outcome, verdict.version, verdict.champion) == ("registered", "4", None)
    assert shelf.registered == [candidate.metadata.digest]
    assert shelf.aliases == {"challenger": "4"}


def test_who_beats_the_champion_is_the_challenger_and_not_yet_the_champion(candidate: Artifact) -> None:
    shelf = Shelf(artifact(candidate.metadata.recipe, "3", b"other trees"))
    verdict = decide(candidate, shelf, champion_scores=0.01)
    assert (verdict.outcome, verdict.champion) == ("registered", "3")
    assert verdict.champion_metrics == {"average_precision": 0.01}
    assert shelf.aliases == {"challenger": "4"}


@pytest.mark.parametrize(
    ("champion", "latency", "reason"),
    [
        pytest.param(1.0, 1.0, "quality: average_precision", id="no better than the champion"),
        pytest.param(0.01, 21.0, "latency: a batch of 64 takes 21 ms", id="too slow"),
    ],
)
def test_who_fails_is_not_registered(
    candidate: Artifact, champion: float, latency: float, reason: str, tmp_path: Path
) -> None:
    shelf = Shelf(artifact(candidate.metadata.recipe, "3", b"other trees"))
    verdict = decide(candidate, shelf, champion, latency=latency)
    assert (verdict.outcome, verdict.version) == ("refused", None)
    assert (shelf.registered, shelf.aliases) == ([], {})
    assert summary(verdict).startswith(reason)
    report = write_report(tmp_path, verdict, 1_800_000_000_000)
    assert reason.partition(": ")[2] in report.read_text()
    assert report.name == f"20270115T080000Z-{verdict.digest[:12]}.json"


def test_the_champion_itself_is_neither_judged_nor_registered(candidate: Artifact) -> None:
    shelf = Shelf(artifact(candidate.metadata.recipe, "3"))
    verdict = decide(candidate, shelf)
    assert (verdict.outcome, verdict.version, verdict.checks) == ("unchanged", "3", ())
    assert (shelf.registered, shelf.aliases) == ([], {})


@pytest.mark.parametrize("gone", [pytest.param(True, id="its files"), pytest.param(False, id="its features")])
def test_a_champion_that_nobody_can_serve_is_not_to_be_beaten(candidate: Artifact, gone: bool) -> None:
    other = artifact(candidate.metadata.recipe, "3", b"other trees")
    shelf = Shelf(BrokenModelError(Path("3"), "model.txt: No such file") if gone else other)
    verdict = decide(candidate, shelf, champion_scores=-1)
    assert verdict.outcome == "registered"
    assert "the champion cannot be used" in verdict.checks[0].finding


def test_a_champion_that_answers_another_question_is_not_compared_with(candidate: Artifact) -> None:
    shelf = Shelf(artifact(candidate.metadata.recipe, "3", b"other trees"))
    verdict = decide(candidate, shelf, champion_scores=2)
    assert (verdict.outcome, verdict.champion) == ("registered", None)
    assert verdict.checks[0].finding.endswith(
        "nothing to compare with: version 3 looks 7 days ahead, and not 30"
    )


def test_who_lost_the_lease_registers_nothing(candidate: Artifact) -> None:
    shelf = Shelf()
    with pytest.raises(LeaseLostError):
        decide(candidate, shelf, confirm="lost")
    assert (shelf.registered, shelf.aliases) == ([], {})


def test_the_tightest_route_of_a_model_bounds_it() -> None:
    rules = load_rules("config/routing_table.yaml", "config/workflows.yaml")
    assert Bounds.of(rules, MODEL) == Bounds(batch=1_024, sla_ms=100)
    with pytest.raises(ConfigError, match="no route leads to it"):
        Bounds.of(rules, "nobody")
