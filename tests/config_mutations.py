"""Seeded mutations of configuration files: what a careless editor, a merge or a broken disk makes of them."""

import random
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from commands.agent import read_prompt
from events.errors import ConfigError
from models.support.plan import load_plan
from models.support.policies import SYNONYMS, read_policies
from models.support.policy import read_policy
from models.support.questions import QUESTIONS, read_questions
from models.thresholds import load_churn_thresholds, load_thresholds
from models.training_plan import load_plans
from routing import load
from routing.report import Report
from routing.topics_file import load_topics

SHIPPED = Path("config")

Load = Callable[[Path], object]

LOADERS: Mapping[str, Load] = {
    "routing_table.yaml": lambda config: load(config / "routing_table.yaml", config / "workflows.yaml"),
    "workflows.yaml": lambda config: load(config / "routing_table.yaml", config / "workflows.yaml"),
    "topics.yaml": lambda config: load_topics(
        config / "topics.yaml", load(config / "routing_table.yaml", config / "workflows.yaml").catalogue
    ),
    "fraud.yaml": lambda config: load_thresholds(config / "fraud.yaml"),
    "churn.yaml": lambda config: load_churn_thresholds(config / "churn.yaml"),
    "training.yaml": lambda config: load_plans(config / "training.yaml"),
    "agent.yaml": lambda config: load_plan(config / "agent.yaml"),
    "agent.md": lambda config: read_prompt(config / "agent.md"),
    f"policies/{SYNONYMS}": lambda config: read_policies(config / "policies"),
    f"policies/{QUESTIONS}": lambda config: read_questions(
        config / "policies" / QUESTIONS, read_policies(config / "policies")
    ),
}
"""What reads each file of `config/`, by its path there, but the policies."""

SCALARS = (
    "1_800_", "_1", "1__0", "1_000", "0x1f", "0o7", "010", "1:30", "1e3", "1e400", ".inf", "-.inf", ".nan",
    "~", "", "null", "true", "yes", "TRUE", "[]", "{}", "[1, [2]]", "{a: b}", '"text"', "'1'", "-5", "+5",
    "1.5", ".5", "5.", "\uff11\uff12", "\u0664", "9" * 400, "9" * 5_000, "0" * 5_000, "0." + "1" * 400,
    "2026-01-01", "2001-99-99", '!!int "3"', '!!float "x"', '!!bool "maybe"', "!!null x", "!!binary abc",
    '!!binary "=="', "!!timestamp 2001-13-45", '!!python/object/apply:os.getcwd []', "!!set {a}",
    "!!omap [a]", "!!map x", "!!seq x", "!", "!<x>", "!%", "&a 1", "*a", "&a [*a]", "&a {b: *a}", "<<",
    "{<<: 1}", "? a", "|", ">", "%", "@", "`", "\t", '"\\ud800"', '"\\0"', '"\\x85"', '"\\UFFFFFFFF"',
    '"\\n"', "a\u2028b", "\ufeff", "#", "- -", "--- a", "...", "%YAML 1.1", "%YAML " + "9" * 5_000 + ".1",
    "[" * 3_000, "{a: " * 3_000, "- " * 500, "a: " * 40, "x" * 100_000, '"' + "\\t" * 1_000 + '"',
)  # fmt: skip
"""Values that YAML, Python or an editor reads in another way than somebody meant them."""

BYTES = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x85", b"\t", b"\r", b"\n", b"\x1b[2J", b"\xed\xa0\x80",
    b":", b"- ", b"'", b'"', b"#", b"&", b"*", b"!", b"%", b"---\n", b"...\n", b"\xc3\x28",
    b"\xf0\x9f\x92\xa9",
)  # fmt: skip

_VALUE = re.compile(rb"(?<=: )[^\n]+|(?<=- )[^\n]+")
_KEY = re.compile(rb"[A-Za-z0-9_.-]+(?=:)")


def files() -> Iterator[str]:
    """Every file of `config/` that an operator may save."""
    return (str(path.relative_to(SHIPPED)) for path in sorted(SHIPPED.rglob("*")) if _is_configuration(path))


def loader_of(name: str) -> Load:
    """What reads this file. Raises `KeyError` for one that no loader is known for."""
    if re.fullmatch(r"policies/[^/]+/[^/]+\.md", name):
        return lambda config: _read_policy(config / name)
    return LOADERS[name]


def _read_policy(path: Path) -> None:
    report = Report(str(path))
    read_policy(report)
    if report.problems:
        raise ConfigError(report.problems)


def copy_of_shipped(folder: Path) -> Path:
    """A copy of `config/` to mutate."""
    return shutil.copytree(SHIPPED, folder / "config", ignore=shutil.ignore_patterns("__pycache__", "*.py"))


def mutations(content: bytes, seed: int) -> Iterator[bytes]:
    """Mutated forms of a file's content, without end; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        mutated = content
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            mutated = chance.choice(_WAYS)(mutated, chance)
        yield mutated


def _value(content: bytes, chance: random.Random) -> bytes:
    return _at_match(_VALUE, content, chance.choice(SCALARS).encode("utf-8", "surrogatepass"), chance)


def _key(content: bytes, chance: random.Random) -> bytes:
    return _at_match(_KEY, content, chance.choice(SCALARS).encode("utf-8", "surrogatepass"), chance)


def _at_match(pattern: re.Pattern[bytes], content: bytes, text: bytes, chance: random.Random) -> bytes:
    found = list(pattern.finditer(content))
    if not found:
        return text
    match = chance.choice(found)
    return content[: match.start()] + text + content[match.end() :]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    return content[:at] + chance.choice(BYTES) + content[at:]


def _flip(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) or 1)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randint(0, len(content)) for _ in range(2))
    return content[:first] + content[last:] if chance.random() < 0.5 else content[:first]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randint(0, len(content)) for _ in range(2))
    return content[:last] + content[first:last] * chance.choice((1, 1, 3)) + content[last:]


def _lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    change = chance.randrange(4)
    if change == 0:
        lines[at], lines[other] = lines[other], lines[at]
    elif change == 1:
        lines.insert(at, lines[other])
    elif change == 2:
        del lines[at]
    else:
        lines[at] = b" " * chance.randrange(5) + lines[at].lstrip()
    return b"".join(lines)


_WAYS = (_value, _value, _value, _key, _insert, _flip, _cut, _repeat, _lines)


def _is_configuration(path: Path) -> bool:
    return path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
