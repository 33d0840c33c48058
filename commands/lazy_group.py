"""Click's lazily loaded group of commands: a subcommand's module is imported only if that subcommand runs.

So `signalbox --help` takes the time of Typer alone, and the modules in `commands/` import what they use at
their top. https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class LazyCommand(NamedTuple):
    """A command or group that is not loaded yet."""

    place: str
    """`module:attribute`, the attribute a function or a `typer.Typer`."""
    help: str
    """The first paragraph of its own help: the list of commands has it without loading the module."""


class LazyGroup(TyperGroup):
    """The `cls` of a `typer.Typer` whose subcommands are named by `lazy_subcommands`."""

    lazy_subcommands: ClassVar[Mapping[str, LazyCommand]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, lazy in self.lazy_subcommands.items():
            self.add_command(TyperCommand(name, help=lazy.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Click's, with the command that is about to run loaded. Raises what its import raises."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in self.lazy_subcommands:
            command = load_command(name, self.lazy_subcommands[name])
        return name, command, rest


def load_command(name: str, lazy: LazyCommand) -> Any:
    """The Click command at `lazy.place`."""
    module, _, attribute = lazy.place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)
