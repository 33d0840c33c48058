"""A process serves the version that is wanted as soon as it is warm, and the one that it has until then."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from events.errors import ConfigError, Unavailable
from models import artifact
from models.artifact import Artifact, BrokenModelError
from models.registry_answers import Version
from models.serving import STAND_IN, TRY_AGAIN_MS, Serving
from models.workflow import Workflow
from tests.unit.models.versions import files_of, version_of, write
from tests.unit.tasks.fakes import Scripted

YES, NO = version_of("1", "yes"), version_of("2", "no")


@dataclass
class Shop:
    """A source that does what a test says."""

    folder: Path
    wants: Version | None = YES
    down: int = 0
    broken: set[Version] = field(default_factory=set)
    has: list[Version] = field(default_factory=list)
    fetched: list[Version] = field(default_factory=list)
    last: Version | None = None
    name: str = "oracle@champion"

    def wanted(self) -> Version | None:
        if self.down:
            self.down -= 1
            raise Unavailable("model registry", "connection refused")
        return self.wants

    def fetch(self, version: Version) -> Artifact:
        self.fetched.append(version)
        if version in self.broken:
            raise BrokenModelError(self.folder, "a file was changed")
        path = self.folder / version.number
        if not path.exists():
            write(path, files_of({YES: "yes", NO: "no"}[version]))
        return artifact.load(path)

    def held(self) -> Iterator[Version]:
        return iter(self.has)

    def served(self, version: Version) -> None:
        self.last = version


@dataclass
class Clock:
    now: int = 1_000

    def __call__(self) -> int:
        return self.now


def make(found: Artifact) -> Workflow:
    return Scripted(name=found.read_text("answer.txt"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def begun(shop: Shop, clock: Clock | None = None) -> Serving:
    serving = Serving(shop, make, clock or Clock())
    serving.start(sleep=lambda _seconds: None)
    return serving


def test_it_begins_with_the_version_that_is_wanted(shop: Shop) -> None:
    serving = begun(shop)
    assert serving.workflow.name == "yes"
    assert serving.served.version == YES == shop.last
    assert serving.served.since == 1_000


def test_while_nothing_moves_nothing_is_fetched(shop: Shop) -> None:
    serving = begun(shop)
    before = serving.workflow
    assert serving.look().trouble == ""
    assert serving.workflow is before
    assert shop.fetched == [YES]


def test_a_moved_alias_is_taken_at_the_next_look_and_who_began_goes_on_with_what_he_has(shop: Shop) -> None:
    serving = begun(shop)
    batch_began_with = serving.workflow
    shop.wants = NO
    assert serving.look().version == NO
    assert serving.workflow.name == "no"
    assert batch_began_with.name == "yes"
    assert shop.last == NO


def test_what_answers_is_replaced_only_once_the_other_is_warm(shop: Shop) -> None:
    seen = []

    def slowly(found: Artifact) -> Workflow:
        if shop.last is not None:
            seen.append(serving.workflow.name)
        return make(found)

    serving = Serving(shop, slowly, Clock())
    serving.start()
    shop.wants = NO
    serving.look()
    assert seen == ["yes"]
    assert serving.workflow.name == "no"


def test_where_the_registry_is_down_the_present_version_goes_on_and_says_so(shop: Shop) -> None:
    serving = begun(shop)
    shop.wants, shop.down = NO, 1
    served = serving.look()
    assert (served.version, served.trouble) == (YES, "model registry is unavailable: connection refused")
    assert serving.look().trouble == ""
    assert serving.served.version == NO


def test_where_nobody_says_any_more_what_is_wanted_the_present_version_goes_on(shop: Shop) -> None:
    serving = begun(shop)
    shop.wants = None
    assert serving.look().trouble == "no version is wanted any more"
    assert serving.workflow.name == "yes"


def test_a_broken_version_is_refused_and_tried_again_after_half_a_minute(shop: Shop) -> None:
    clock = Clock()
    serving = begun(shop, clock)
    shop.wants, shop.broken = NO, {NO}
    assert "v2 is refused" in serving.look().trouble
    clock.now += TRY_AGAIN_MS - 1
    assert "v2 is refused" in serving.look().trouble
    assert shop.fetched == [YES, NO]
    assert serving.workflow.name == "yes"
    shop.broken = set()
    clock.now += 1
    assert serving.look().trouble == ""
    assert serving.workflow.name == "no"


def test_what_is_refused_is_still_said_once_the_registry_is_back(shop: Shop) -> None:
    serving = begun(shop)
    shop.wants, shop.broken = NO, {NO}
    refused = serving.look().trouble
    shop.down = 1
    assert "unavailable" in serving.look().trouble
    assert serving.look().trouble == refused


def test_a_rollback_from_a_broken_version_clears_the_trouble(shop: Shop) -> None:
    serving = begun(shop)
    shop.wants, shop.broken = NO, {NO}
    serving.look()
    shop.wants = YES
    assert serving.look().trouble == ""
    assert serving.served.version == YES


@pytest.mark.parametrize(
    ("broken", "down", "has", "expected"),
    [
        pytest.param({NO}, 0, [YES], "yes", id="the wanted one is broken: the one before"),
        pytest.param(set(), 1, [YES], "yes", id="the registry is down: what was served last"),
        pytest.param(set(), 3, [], "no", id="the registry is down and nothing is held: it is waited for"),
    ],
)
def test_it_begins_with_what_can_be_had(
    shop: Shop, broken: set[Version], down: int, has: list[Version], expected: str
) -> None:
    shop.wants, shop.broken, shop.down, shop.has = NO, broken, down, has
    assert begun(shop).workflow.name == expected


@pytest.mark.parametrize(
    ("wants", "down", "message"),
    [
        pytest.param(None, 0, "no version is there: make one with `signalbox train`", id="nobody ever said"),
        pytest.param(YES, 99, "oracle@champion: model registry is unavailable", id="the registry stays away"),
        pytest.param(YES, 0, "a file was changed", id="the only version is broken"),
    ],
)
def test_where_nothing_can_be_had_the_reasons_are_told(
    shop: Shop, wants: Version | None, down: int, message: str
) -> None:
    shop.wants, shop.down, shop.broken = wants, down, {YES}
    with pytest.raises(ConfigError, match=message):
        begun(shop)


def standing_in(shop: Shop) -> Serving:
    serving = Serving(shop, make, Clock(), stand_in=lambda: Scripted(name="a simple rule"))
    serving.start(sleep=lambda _seconds: None)
    return serving


@pytest.mark.parametrize(
    ("wants", "down", "expected"),
    [
        pytest.param(None, 0, "a simple rule", id="there is no version"),
        pytest.param(NO, 0, "a simple rule", id="the only one is broken"),
        pytest.param(YES, 0, "yes", id="there is one"),
        pytest.param(YES, 3, "yes", id="the registry is down: nobody knows yet whether there is one"),
    ],
)
def test_something_stands_in_only_where_no_version_can_be_served(
    shop: Shop, wants: Version | None, down: int, expected: str
) -> None:
    shop.wants, shop.down, shop.broken = wants, down, {NO}
    assert standing_in(shop).workflow.name == expected


def test_the_first_version_takes_the_place_of_what_stands_in(shop: Shop) -> None:
    shop.wants = None
    serving = standing_in(shop)
    assert (serving.look().version.number, serving.look().trouble) == (
        STAND_IN,
        "no version is there: make one with `signalbox train`",
    )
    shop.wants = YES
    assert (serving.look().version, serving.served.trouble) == (YES, "")
    assert serving.workflow.name == "yes"
