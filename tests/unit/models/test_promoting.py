"""An alias is moved to what is whole, and whoever asks later learns when, by whom and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from events.errors import ConfigError, Unavailable
from features.offline.database import open_database
from models.artifact import METADATA_FILE, Metadata
from models.changes import Changes
from models.promoting import OUTSIDE, PATIENCE_MS, Promoting
from models.recipe import Provenance
from tests.unit.models.registered import MemoryRegistry
from tests.unit.models.versions import MODEL, PROVENANCE, files_of, recipe


@dataclass
class Clock:
    """A second passes at each look."""

    now: int = 1_000_000

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


@dataclass
class Desk:
    """Where somebody promotes."""

    changes: Changes
    clock: Clock
    registry: MemoryRegistry = field(default_factory=lambda: MemoryRegistry.of("yes", "no", "maybe"))

    @property
    def promoting(self) -> Promoting:
        return Promoting(self.registry, self.changes, self.clock)

    def champion(self, number: str, why: str = "it is better") -> None:
        self.promoting.move(MODEL, "champion", number, "ada", why)

    def told(self) -> list[tuple[str, str, str, str]]:
        return [(c.version, c.previous, c.who, c.why) for c in self.changes.done(MODEL, "champion")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    clock = Clock()
    changes = Changes(open_database(f"sqlite:///{tmp_path / 'changes.db'}"), clock)
    changes.create()
    return Desk(changes, clock)


def test_each_change_says_what_was_named_before_by_whom_and_why(desk: Desk) -> None:
    desk.champion("1", "the first")
    desk.champion("2")
    assert desk.registry.aliases == {"champion": "2"}
    assert desk.told() == [("1", "", "ada", "the first"), ("2", "1", "ada", "it is better")]
    assert [change.state for change in desk.changes.all(MODEL)] == ["intended", "done"] * 2


def test_which_version_was_champion_at_a_moment_has_an_answer(desk: Desk) -> None:
    desk.champion("1")
    first = desk.clock.now
    desk.champion("2")
    moments = {
        first - 1: None,
        first: "1",
        desk.clock.now - 1: "1",
        desk.clock.now: "2",
        desk.clock.now + 1: "2",
    }
    found = {moment: desk.changes.in_force(MODEL, "champion", moment) for moment in moments}
    assert {moment: change and change.version for moment, change in found.items()} == moments
    assert desk.changes.in_force(MODEL, "shadow", desk.clock.now) is None


def test_a_rollback_names_what_was_named_before_the_last_change(desk: Desk) -> None:
    desk.champion("1")
    desk.champion("3")
    desk.promoting.roll_back(MODEL, "champion", "bob", "too many alarms")
    assert desk.registry.aliases == {"champion": "1"}
    assert desk.told()[-1] == ("1", "3", "bob", "too many alarms")


def test_without_a_version_before_there_is_nothing_to_go_back_to(desk: Desk) -> None:
    desk.champion("1")
    with pytest.raises(ConfigError, match="there is nothing to go back to"):
        desk.promoting.roll_back(MODEL, "champion", "bob", "why not")


def changed_file(registry: MemoryRegistry) -> None:
    registry.files["2"]["answer.txt"] = b"on"


def missing_file(registry: MemoryRegistry) -> None:
    del registry.files["2"]["answer.txt"]


def another_digest(registry: MemoryRegistry) -> None:
    registry.files["2"] = files_of("something else")


def nobody_trained_it(registry: MemoryRegistry) -> None:
    files = {"answer.txt": b"no"}
    provenance = Provenance(
        trained_at=PROVENANCE.trained_at, trained_by="", git_commit="", libraries={"a": "1"}, snapshot="0@1"
    )
    metadata = Metadata.of(files, recipe(), provenance)
    registry.files["2"] = {**files, METADATA_FILE: metadata.encode()}
    registry.digests["2"] = metadata.digest


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(
            lambda registry: registry.files.pop("2"), "is not in the registry", id="no such version"
        ),
        pytest.param(changed_file, "is not whole: the SHA-256 of answer.txt", id="a file was changed"),
        pytest.param(missing_file, "is not whole: the registry gives no answer.txt", id="a file lacks"),
        pytest.param(another_digest, "was registered as", id="its digest is another one"),
        pytest.param(
            nobody_trained_it,
            r"does not say provenance\.trained_by\n.*does not say provenance\.git_commit",
            id="it lacks who trained it, and on which commit",
        ),
    ],
)
def test_what_cannot_serve_is_not_promoted(
    desk: Desk, spoil: Callable[[MemoryRegistry], object], reason: str
) -> None:
    desk.champion("1")
    spoil(desk.registry)
    with pytest.raises(ConfigError, match=reason):
        desk.champion("2")
    assert desk.registry.aliases == {"champion": "1"}
    assert len(desk.told()) == 1


def test_what_is_champion_already_is_not_moved(desk: Desk) -> None:
    desk.champion("1", "the first")
    with pytest.raises(ConfigError, match="is champion already, by ada: the first"):
        desk.champion("1")


@pytest.mark.parametrize(
    ("moved", "state", "champion"),
    [
        pytest.param(True, "done", "2", id="the alias had moved before the crash"),
        pytest.param(False, "void", "1", id="the alias had not moved"),
    ],
)
def test_a_crash_between_the_two_rows_is_settled_by_the_next_command(
    desk: Desk, moved: bool, state: str, champion: str
) -> None:
    desk.champion("1")
    desk.registry.down, desk.registry.moves_all_the_same = {"point"}, moved
    with pytest.raises(Unavailable):
        desk.champion("2")
    intended = desk.changes.unended(MODEL, "champion")
    assert intended is not None
    desk.registry.down = set()
    with pytest.raises(ConfigError, match="ada is moving champion to v2"):
        desk.champion("3")
    desk.clock.now += PATIENCE_MS
    desk.promoting.settle(MODEL, "champion")
    assert desk.changes.all(MODEL)[-1].state == state
    now = desk.changes.in_force(MODEL, "champion", intended.at)
    assert now is not None
    assert now.version == champion
    desk.champion("3")
    assert desk.told()[-1][:2] == ("3", champion)


def test_an_alias_that_the_registry_refuses_to_move_is_no_change(desk: Desk) -> None:
    desk.champion("1")
    desk.registry.refuses = True
    with pytest.raises(ConfigError, match="refused"):
        desk.champion("2")
    assert desk.changes.unended(MODEL, "champion") is None
    assert len(desk.told()) == 1


def test_what_others_moved_is_written_down_once_it_is_seen(desk: Desk) -> None:
    desk.champion("1")
    desk.registry.aliases["champion"] = "3"
    desk.champion("2")
    assert desk.told()[1:] == [
        ("3", "1", OUTSIDE, "found so: moved some time before"),
        ("2", "3", "ada", "it is better"),
    ]


def test_two_who_promote_at_once_do_not_both(desk: Desk) -> None:
    desk.changes.intend(MODEL, "champion", "2", "d", "", "bob", "he was first")
    with pytest.raises(ConfigError, match="bob is moving champion to v2"):
        desk.champion("1")
    assert desk.registry.aliases == {}
