"""A run of the support agent as text, step by step, without what reaches or charges a customer."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from core.timestamps import readable
from models.support.journal import RunRow, StepRow
from models.support.masking import mask
from models.support.steps import Answered, Asked, Begun, Concluded, Ended, Searched, Step, kind

if TYPE_CHECKING:
    # needs the extra `agent`
    from models.support.replaying import Replayed

_LONGEST = 1_500
_PROMPT = "user-prompt"


def account(row: RunRow, steps: Sequence[StepRow]) -> Iterator[str]:
    """One run, in lines."""
    ended = f"ended {_time(row.ended_at)}" if row.ended_at is not None else "has not ended"
    # these ids are a producer's, which may be any text
    yield _plain(mask(f"{row.run_id}: ticket {row.ticket_id} of {row.tenant_id}, event {row.event_id}"))
    yield f"begun {_time(row.began_at)} by {row.model_id}, {ended}"
    for each in steps:
        first, *others = list(_told(each.step)) or [""]
        took_over = f" (lease {each.token})" if each.token > 1 else ""
        begins = f"{each.number:3}  {_time(each.at)}{took_over}  {_kind(each.step)}"
        yield f"{begins}  {_plain(mask(first))}".rstrip()
        lines = (line for other in others for line in _short(mask(other)).splitlines() if line)
        yield from (f"       {_plain(line)}" for line in lines)


def verdict(replayed: "Replayed") -> str:
    """What a replay came to."""
    then, now = replayed.then, replayed.now
    if then is None:
        return "replayed to the end of the journal: the run has come to no conclusion yet"
    was = f"{_outcome(then)}{f' ({then.reason})' if then.reason else ''}"
    if now is None:
        return f"replayed to the end of the journal; then it was {was}, by what a journal does not have"
    if replayed.same:
        return f"replayed without asking anybody: {was}, as it was then"
    return f"replayed to {_outcome(now)} ({now.reason or 'as drafted'}), and not to {was} as it was then"


def _told(step: Step) -> Iterator[str]:
    """What is to be said of a step; the first line beside its kind."""
    match step:
        case Begun():
            yield f"policies {step.policies[:12]}, features {_json(step.features)}"
            yield step.prompt
        case Asked(call, messages):
            yield f"request {call}"
            yield from _parts(messages)
        case Answered():
            yield f"request {step.call}: {step.input_tokens} tokens in, {step.output_tokens} out"
            yield from _parts(step.response)
        case Searched(query, namespace, passages):
            yield f"{namespace}: {query!r}"
            yield from (f"{each.document} {each.title}, {each.section}" for each in passages)
        case Concluded():
            yield f"{_outcome(step)} {step.reason or ''} {step.fallback or ''}".rstrip()
            yield f"cites {', '.join(step.cites) or 'nothing'}"
            yield from (text for text in (step.summary, step.reply) if text)
        case Ended(output):
            yield output
        case _:
            fields = msgspec.to_builtins(step)
            yield _json({name: value for name, value in fields.items() if name not in ("type", "purses")})


def _parts(messages: str) -> Iterator[str]:
    """What was said in messages, as pydantic-ai writes them; the prompt stands with the run's beginning."""
    for message in msgspec.json.decode(messages):
        for part in message.get("parts", ()):
            if part.get("part_kind") != _PROMPT:
                yield _part(part)


def _part(part: dict[str, Any]) -> str:
    said = part.get("args", part.get("content", ""))
    text = said if isinstance(said, str) else _json(said)
    return f"{part.get('tool_name') or part.get('part_kind')}: {text}"


def _plain(line: str) -> str:
    """Without what a terminal would obey: strangers wrote it."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _kind(step: Step) -> str:
    return f"{kind(step):9}"


def _time(at: int) -> str:
    return readable(at).removesuffix("+00:00")


def _outcome(concluded: Concluded) -> str:
    return "handed over" if concluded.reason else "resolved"
