"""Everything that Signalbox connects to, secured, for the length of this folder's tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.support.plan import load_plan
from models.support.policies import read_policies
from models.support.questions import QUESTIONS, read_questions
from stack.retail import TENANT
from tests import services
from tests.faults.processes import accepts, free_port, wait_until
from tests.integration.secured import servers
from tests.integration.secured.parts import Secured
from tests.trained import PROVENANCE, Silent, small_store, train_small
from training import agent, churn
from training.churn_split import Split

START_S = 120
UNTIL = 1_772_409_600_000
"""2026-03-02, where the small shop's past ends; epoch ms."""
DAY_MS = 86_400_000


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of each model that is served from a folder; a forecaster has a stand-in."""
    folder = tmp_path_factory.mktemp("models")
    train_small(folder)
    split = Split.before(UNTIL, UNTIL - 56 * DAY_MS, 7, calibration_weeks=2, test_weeks=1)
    churn.train(small_store(), TENANT, split, folder, PROVENANCE, Silent())
    policies = read_policies(Path("config/policies"))
    questions = read_questions(Path("config/policies") / QUESTIONS, policies)
    prompt = Path("config/agent.md").read_text(encoding="utf-8")
    agent.make(load_plan(Path("config/agent.yaml")), prompt, policies, questions, folder)
    return folder


@pytest.fixture(scope="session")
def secured(request: pytest.FixtureRequest, models: Path) -> Iterator[Secured]:
    """All four services, and what is needed to reach them. Skips on a machine that lacks one, fails in CI."""
    lacking = servers.missing()
    if lacking is not None:
        message = f"{lacking} is not installed, and has no embedded form with TLS and users"
        if services.required():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="signalbox-secured-"))
    folder.chmod(0o755)  # PostgreSQL reads its certificate as another user
    ground = servers.Ground.made(folder)
    ports = {name: free_port() for name in ("kafka", "redis", "rabbitmq", "postgres")}
    started = [getattr(servers, name)(port, ground) for name, port in ports.items()]
    made = Secured(ground, ports, models)
    try:
        for child in started:
            child.start()
        for name, port in ports.items():
            wait_until(lambda port=port: accepts(port), START_S, name)  # type: ignore[misc]  # mypy infers no lambda default
        made.prepare()
        yield made
    finally:
        made.close()
        for child in started:
            child.kill()
        if not request.session.testsfailed:
            shutil.rmtree(folder)
