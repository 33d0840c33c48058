"""Versions of a model that is none: a text file, and all that a version says of itself."""

from collections.abc import Mapping
from pathlib import Path

from features.contract import Need
from models.artifact import METADATA_FILE, Metadata
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.registry_answers import Version

MODEL = "oracle"
PROVENANCE = Provenance(
    trained_at="2026-03-02T06:00:00+00:00",
    trained_by="ada",
    git_commit="c0ffee",
    libraries={"python": "3.12.1"},
    snapshot="-1@56000 0@12",
)


def recipe(model: str = MODEL, **changes: object) -> Recipe:
    """Of a model that looks at one feature."""
    said: dict[str, object] = {
        "model": model,
        "data": DataSummary(
            first="2026-01-01",
            last="2026-02-01",
            ranges={"train": "2026-01-01 to 2026-02-01"},
            rows={"train": 10},
            labels={"train.yes": 3},
            sha256="5" * 64,
        ),
        "parameters": {"seed": 7},
        "metrics": {"auc_roc": 0.9},
        "payload": ("amount",),
        "needs": (Need("demand_7d"),),
        "feature_hash": "abcdefabcdef",
        "signature": Signature(inputs=(Column("amount"),), outputs=(Column("answer", "string"),)),
    }
    return Recipe(**{**said, **changes})  # type: ignore[arg-type]  # by name


def files_of(answer: str, model: str = MODEL) -> dict[str, bytes]:
    """The files of a version whose one file says `answer`, `metadata.json` among them."""
    files = {"answer.txt": answer.encode()}
    return {**files, METADATA_FILE: Metadata.of(files, recipe(model), PROVENANCE).encode()}


def version_of(number: str, answer: str, model: str = MODEL) -> Version:
    """How the registry names it."""
    return Version(number, Metadata.of({"answer.txt": answer.encode()}, recipe(model), PROVENANCE).digest)


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
