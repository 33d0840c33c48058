"""An alias is moved to what is whole, and whoever asks later learns when, by whom and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from events.errors import ConfigError, Unavailable
from models.artifact import METADATA_FILE, Metadata
from models.changes import Changes
from models.promoting import PATIENCE_MS, Promoting
from models.recipe import Provenance
from models.written import OUTSIDE, Change, OvertakenError, Written
from tests.unit.models.registered import MemoryRegistry
from tests.unit.models.versions import MODEL, PROVENANCE, files_of, recipe
from transport.database import open_database


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

    @property
    def written(self) -> Written:
        return self.changes.written(MODEL, "champion")

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
    found = {moment: desk.written.in_force(moment) for moment in moments}
    assert {moment: change and change.version for moment, change in found.items()} == moments
    assert desk.changes.written(MODEL, "shadow").in_force(desk.clock.now) is None


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
    intended = desk.written.unended
    assert intended is not None
    desk.registry.down = set()
    with pytest.raises(ConfigError, match="ada is moving champion to v2"):
        desk.champion("3")
    desk.clock.now += PATIENCE_MS
    desk.promoting.settle(MODEL, "champion")
    assert desk.changes.all(MODEL)[-1].state == state
    now = desk.written.in_force(intended.at)
    assert now is not None
    assert now.version == champion
    desk.champion("3")
    assert desk.told()[-1][:2] == ("3", champion)


def test_an_alias_that_the_registry_refuses_to_move_is_no_change(desk: Desk) -> None:
    desk.champion("1")
    desk.registry.refuses = True
    with pytest.raises(ConfigError, match="refused"):
        desk.champion("2")
    assert desk.written.unended is None
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
    desk.changes.intend(desk.written, "2", "d", "", "bob", "he was first")
    with pytest.raises(ConfigError, match="bob is moving champion to v2"):
        desk.champion("1")
    assert desk.registry.aliases == {}


def promote_back(desk: Desk) -> None:
    desk.champion("3")


def roll_back(desk: Desk) -> None:
    desk.promoting.roll_back(MODEL, "champion", "bob", "too many alarms")


@pytest.mark.parametrize("moment", ["asked", "told"])
def test_who_looks_while_another_promotes_writes_nothing_untrue(desk: Desk, moment: str) -> None:
    desk.champion("1")
    desk.registry.meanwhile[moment] = lambda: desk.champion("2", "meanwhile")
    desk.promoting.settle(MODEL, "champion")
    assert desk.told()[1:] == [("2", "1", "ada", "meanwhile")]


@pytest.mark.parametrize("move", [promote_back, roll_back])
def test_who_moves_while_another_promotes_says_truly_what_was_named_before(
    desk: Desk, move: Callable[[Desk], None]
) -> None:
    desk.champion("3", "the first")
    desk.champion("1", "the second")
    # each of the two has looked what is named by then, and goes on from there
    desk.registry.meanwhile["told"] = lambda: desk.champion("2", "meanwhile")
    with pytest.raises(OvertakenError, match="somebody else moved champion in between: look again"):
        move(desk)
    assert desk.told()[2:] == [("2", "1", "ada", "meanwhile")]
    assert desk.registry.aliases == {"champion": "2"}


def test_one_that_moves_long_after_it_was_given_up_is_told_and_is_another_change(desk: Desk) -> None:
    desk.champion("1")

    def the_next_command() -> None:
        desk.clock.now += PATIENCE_MS
        desk.promoting.settle(MODEL, "champion")

    desk.registry.meanwhile["moved"] = the_next_command
    with pytest.raises(OvertakenError, match="so long that it was written down as void"):
        desk.champion("2")
    assert [change.state for change in desk.written.rows] == ["intended", "done", "intended", "void"]
    desk.promoting.settle(MODEL, "champion")
    assert desk.told()[1:] == [("2", "1", OUTSIDE, "found so: moved some time before")]


def test_what_is_written_down_twice_ends_once(desk: Desk) -> None:
    change = desk.changes.intend(desk.written, "2", "d", "", "bob", "why not")
    ended = desk.changes.end(change, "done")
    assert desk.changes.end(change, "done") == ended
    with pytest.raises(OvertakenError, match=r"is void, but .* written down as done"):
        desk.changes.end(change, "void")


@pytest.mark.parametrize("move", [lambda desk: desk.champion("1"), roll_back], ids=["again", "rollback"])
def test_the_first_promotion_that_was_cut_short_is_waited_for(
    desk: Desk, move: Callable[[Desk], None]
) -> None:
    desk.registry.down, desk.registry.moves_all_the_same = {"point"}, True
    with pytest.raises(Unavailable):
        desk.champion("1")
    desk.registry.down = set()
    with pytest.raises(ConfigError, match="ada is moving champion to v1: look again in a moment"):
        move(desk)


def test_an_alias_that_others_took_away_is_written_down_and_can_be_taken_back(desk: Desk) -> None:
    desk.champion("1")
    del desk.registry.aliases["champion"]
    desk.promoting.settle(MODEL, "champion")
    assert desk.told()[1:] == [("", "1", OUTSIDE, "found so: moved some time before")]
    desk.promoting.roll_back(MODEL, "champion", "bob", "it is needed")
    assert desk.registry.aliases == {"champion": "1"}


def test_what_may_have_been_in_force_by_then_is_named_beside_what_was(desk: Desk) -> None:
    def doubted(moment: int) -> Change | None:
        return desk.written.in_doubt(moment)

    desk.champion("1")
    known = desk.clock.now
    desk.champion("2")
    assert doubted(known) is None
    known = desk.clock.now
    desk.registry.aliases["champion"] = "3"
    desk.promoting.settle(MODEL, "champion")
    found = doubted(known)
    assert found is not None
    assert (found.version, found.who) == ("3", OUTSIDE)
    assert doubted(desk.clock.now) is None
    intended = desk.changes.intend(desk.written, "1", "d", "3", "bob", "why not")
    assert doubted(intended.at - 1) is None
    assert doubted(intended.at) == intended
