"""A registered agent version is read back as it was, or refused with the reason."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.artifact import METADATA_FILE, Artifact, BrokenModelError, Metadata, load
from models.support.version import PLAN_FILE, PROMPT_FILE, TOOLS_FILE, files_of, load_version
from tests.unit.models.support.agents import PLAN, provenance, recipe
from tests.unit.models.versions import write

FILES = files_of(PLAN, "You answer tickets.")


def saved(folder: Path, files: Mapping[str, bytes] = FILES) -> Artifact:
    metadata = Metadata.of(files, recipe(), provenance())
    return load(write(folder / "7", {**files, METADATA_FILE: metadata.encode()}))


def tools(**changed: object) -> dict[str, bytes]:
    schemas = json.loads(FILES[TOOLS_FILE])
    schemas["tools"]["send_voucher"].update(changed)
    return {**FILES, TOOLS_FILE: json.dumps(schemas).encode()}


def test_a_version_comes_back_as_it_was_registered(tmp_path: Path) -> None:
    found = load_version(saved(tmp_path))
    assert (found.plan, found.prompt) == (PLAN, "You answer tickets.")
    assert found.version.model_id == "ai-support-agent-v7"
    assert found.needs.stored == ("lifetime_value", "order_count", "prev_escalations")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({**FILES, PLAN_FILE: b"agent: 1"}, "its plan cannot be used", id="a plan that is none"),
        pytest.param(
            {**FILES, PROMPT_FILE: b"\xff"}, "prompt.md cannot be read", id="a prompt that is no text"
        ),
        pytest.param({**FILES, TOOLS_FILE: b"{"}, "tools.json cannot be read", id="tools that are no JSON"),
        pytest.param(tools(required=[]), "its tools are not those of this code", id="other arguments"),
        pytest.param(
            {name: content for name, content in FILES.items() if name != TOOLS_FILE},
            "names no tools.json",
            id="no tools",
        ),
    ],
)
def test_a_version_that_cannot_be_served_is_refused(
    tmp_path: Path, files: Mapping[str, bytes], reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        load_version(saved(tmp_path, files))


def test_a_file_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    artifact = saved(tmp_path)
    (artifact.path / PLAN_FILE).write_bytes(FILES[PLAN_FILE].replace(b"50000", b"5000000"))
    with pytest.raises(BrokenModelError, match="changed after training"):
        load_version(artifact)


def test_tools_that_are_only_described_otherwise_are_served_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_version(saved(tmp_path, tools(description="Send a voucher.", title="Voucher")))
    assert "in other words" in caplog.text
