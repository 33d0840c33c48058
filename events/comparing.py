"""Backward compatibility of two JSON Schemas: what the new one refuses or no longer names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "deprecated", "$defs", "$ref", "discriminator"}
)
_HANDLED = frozenset({"type", "properties", "required", "items", "additionalProperties", "enum", "const"})
_CHOICES = ("anyOf", "oneOf")
_ANYTHING = "anything"


class Change(NamedTuple):
    """One thing that is narrower than it was. `field` is a path such as `items[].sku`, or empty."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field} {self.message}" if self.field else self.message


def narrowed(old: Schema, new: Schema) -> tuple[Change, ...]:
    """Every way in which `new` does not take, or does not name, what `old` did."""
    return tuple(_Comparison(old, new).compare("", old, new))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._under_way: set[tuple[str, str]] = set()

    def compare(self, field: str, old: Schema, new: Schema) -> Iterator[Change]:
        wanted = list(_alternatives(old, self._old))
        offered = list(_alternatives(new, self._new))
        for one in wanted:
            fits = [list(self._one(field, one, other)) for other in offered if _takes(other, one)]
            if fits:
                yield from min(fits, key=len)
            else:
                yield Change(field, f"took {_kinds(wanted)}, takes only {_kinds(offered)}")

    def _one(self, field: str, old: Schema, new: Schema) -> Iterator[Change]:
        """Of one kind of value."""
        pair = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and "$ref" in new:
            if pair in self._under_way:  # a model within itself
                return
            self._under_way.add(pair)
        yield from (Change(field, message) for message in _limits(old, new))
        yield from self._fields(field, old, new)
        if "items" in new:
            yield from self.compare(f"{field}[]", old.get("items", {}), new["items"])
        others, were = new.get("additionalProperties", True), old.get("additionalProperties", True)
        if others is False and were is not False:
            yield Change(field, "takes no fields beyond the declared ones any more")
        elif isinstance(others, Mapping) and were is not False:
            yield from self.compare(f"{field}{{}}", were if isinstance(were, Mapping) else {}, others)
        self._under_way.discard(pair)

    def _fields(self, field: str, old: Schema, new: Schema) -> Iterator[Change]:
        were, are = old.get("properties", {}), new.get("properties", {})
        needed, must = frozenset(old.get("required", ())), frozenset(new.get("required", ()))
        for name in were:
            path = _path(field, name)
            if name not in are:
                yield Change(path, "was removed")
                continue
            if name in must - needed:
                yield Change(path, "was optional, is required")
            yield from self.compare(path, were[name], are[name])
        for name in sorted(must - were.keys()):
            yield Change(_path(field, name), "is new, and required")


def _limits(old: Schema, new: Schema) -> Iterator[str]:
    taken, listed = _listed(old), _listed(new)
    if listed is not None:
        if taken is None:
            yield f"took any value, takes only {', '.join(map(repr, listed))}"
        elif gone := [value for value in taken if value not in listed]:
            yield f"takes {', '.join(map(repr, gone))} no more"
    for name, value in new.items():
        was = old.get(name)
        if name in _HANDLED or name in _ANNOTATIONS:
            continue
        if name in _LOWER:
            tighter = was is None or value > was
        elif name in _UPPER:
            tighter = was is None or value < was
        else:
            tighter = value != was
        if tighter:
            yield f"has {name} {_shown(value)}, had {_shown(was)}"


def _alternatives(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The kinds of value that a schema takes, each as a schema of its own."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        for each in _alternatives(root["$defs"][name], root):
            yield {**each, "$ref": name}
        return
    for key in _CHOICES:
        if key in schema:
            for choice in schema[key]:
                yield from _alternatives(choice, root)
            return
    kinds = schema.get("type", _ANYTHING)
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        yield {**schema, "type": kind}


def _takes(new: Schema, old: Schema) -> bool:
    return new["type"] in (_ANYTHING, old["type"]) or (new["type"] == "number" and old["type"] == "integer")


def _listed(schema: Schema) -> Sequence[Any] | None:
    """The only values that it takes."""
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _kinds(alternatives: Sequence[Schema]) -> str:
    return " or ".join(dict.fromkeys(str(each["type"]) for each in alternatives))


def _shown(value: object) -> str:
    return "none" if value is None else repr(value)


def _path(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
