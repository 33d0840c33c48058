"""What a training command works with: settings, offline store, plan, registry, recent predictions."""

from pathlib import Path

from events.errors import ConfigError, Problem
from events.topics import PREDICTIONS
from features.offline.layouts import check_layouts
from features.offline.store import OfflineStore, open_offline
from features.retail import DEFINITIONS
from models.artifact import Metadata
from models.changes import Changes
from models.promoting import Promoting
from models.registry import Alias, Registry
from models.training_plan import Plan, load_plans
from models.who import who
from monitoring.reading import LogReader
from monitoring.skew import report_of
from routing import nearest
from settings import Settings, load_settings
from training import challenging
from training.folder import FolderRegistry
from training.gate import Skew
from training.registering import Registered, TrainingRegistry
from transport.database import Database
from transport.sql_limits import TRAINING

CHALLENGER: Alias = "challenger"
NEWEST = 20_000
"""Predictions of each partition whose features are worked out again for the gate."""


def opened(model_dir: Path | None) -> tuple[Settings, OfflineStore]:
    """The settings, without a registry where a version is to be saved in `model_dir`; and the store.

    Raises `ConfigError` if the store would be misread.
    """
    settings = load_settings()
    if model_dir is not None:
        settings = settings.model_copy(update={"registry": None, "model_dir": model_dir})
    store = open_offline(settings.database_url, limits=TRAINING)
    check_layouts(store.database, DEFINITIONS)
    return settings, store


def served_skew(settings: Settings, store: OfflineStore, metadata: Metadata) -> Skew:
    """What the newest predictions say of it; nothing where there is no Kafka to read them from."""
    if settings.kafka is None:
        return Skew(0, {})
    reader = LogReader(settings.kafka, [PREDICTIONS], NEWEST)
    records = (message.value() or b"" for message in reader.read_up_to_now(PREDICTIONS))
    report = report_of(store, DEFINITIONS, metadata.recipe.contract(DEFINITIONS), records)
    reader.close()
    return Skew(report.values, dict(report.mismatches))


def plan_of(settings: Settings, model: str) -> Plan:
    """How this model is trained and judged. Raises `ConfigError` if it has no plan."""
    plans = load_plans(settings.training_plan)
    if model not in plans:
        problem = f"has no plan for it{nearest(model, plans)}"
        raise ConfigError([Problem(str(settings.training_plan), 0, model, problem)])
    return plans[model]


def registry_of(settings: Settings) -> challenging.Registry:
    """The configured one, else the folder of models."""
    if settings.registry is None:
        return FolderRegistry(settings.model_dir)
    return TrainingRegistry(settings.registry_url)


def name_challenger(settings: Settings, database: Database, made: Registered, why: str) -> None:
    """Let the alias name it. Nothing where no registry is configured: there the newest version serves.

    Raises `Unavailable`.
    """
    if settings.registry is None:
        return
    registry, changes = Registry(settings.registry_url), Changes(database)
    changes.create()
    pointed = registry.pointed(made.model, CHALLENGER)
    # one that was registered before is named already, where what made it was not cut short in between
    if pointed is None or pointed.number != made.version:
        Promoting(registry, changes).move(made.model, CHALLENGER, made.version, who(), why)
