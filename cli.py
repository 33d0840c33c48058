"""Which commands `signalbox` has. Each lives in `commands/`; heavy imports happen inside them."""

import sys
from importlib import import_module

import typer

from events.errors import SignalboxError

app = typer.Typer(
    help="Typed events wake the right machine-learning model at the right moment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_GROUPS = ("routes", "schemas", "train", "features")
_FUNCTIONS = {
    "dispatch": ("dispatcher", "reconcile", "where"),
    "worker": ("worker",),
    "stack": ("up", "demo", "traffic", "topics", "balance"),
}


def _mount() -> None:
    for name in _GROUPS:
        try:
            app.add_typer(import_module(f"commands.{name}").app, name=name)
        except ModuleNotFoundError:
            continue
    for name, functions in _FUNCTIONS.items():
        try:
            module = import_module(f"commands.{name}")
        except ModuleNotFoundError:
            continue
        for function in functions:
            if not hasattr(module, function):
                continue
            app.command()(getattr(module, function))


_mount()


def main() -> None:
    """Run a command. What an operator can put right is said without a traceback; exit code 2."""
    try:
        app()
    except SignalboxError as error:
        typer.echo(f"signalbox: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
