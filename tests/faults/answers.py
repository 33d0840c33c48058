"""Each prediction was made by the whole of the version that it names: its model is asked again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from confluent_kafka import Consumer, TopicPartition
from lightgbm import Booster

from events.prediction import Prediction, decode_prediction
from events.topics import PREDICTIONS
from models.artifact import Artifact
from models.trees import TREES
from transport.kafka import consumer_config


@dataclass
class Answers:
    """What the predictions of a run say. `at` are the moments of each version's answers, epoch ms."""

    by_digest: Counter[str] = field(default_factory=Counter)
    at: list[tuple[int, str]] = field(default_factory=list)
    foreign: int = 0
    differing: int = 0

    def slowest_second(self, first: int, last: int) -> int:
        """The fewest answers in a whole second between two moments (epoch ms)."""
        seconds = Counter(moment // 1_000 for moment, _ in self.at)
        return min((seconds[second] for second in range(first // 1_000 + 1, last // 1_000)), default=0)


def audit(bootstrap: str, versions: Sequence[Artifact]) -> Answers:
    """Read every prediction, and ask its version again what it says of the features that stand there."""
    answers = Answers()
    found: dict[str, list[Prediction]] = {}
    for record in predictions(bootstrap):
        answers.by_digest[record.model_digest] += 1
        answers.at.append((record.deadline - record.sla_ms + round(record.latency_ms), record.model_digest))
        found.setdefault(record.model_digest, []).append(record)
    known: Mapping[str, Artifact] = {each.metadata.digest: each for each in versions}
    for digest, records in found.items():
        if digest not in known:
            answers.foreign += len(records)
            continue
        rows = np.array([list(record.features.values()) for record in records])
        said = Booster(model_str=known[digest].read_text(TREES)).predict(rows, num_threads=1)
        served = np.array([record.output.confidence for record in records])
        answers.differing += int((served != np.asarray(said)).sum())
    return answers


def predictions(bootstrap: str) -> list[Prediction]:
    """Every record of the predictions, in no order."""
    consumer = Consumer(consumer_config(bootstrap, "answers", log_level=2))
    partitions = consumer.list_topics(PREDICTIONS, timeout=10).topics[PREDICTIONS].partitions
    consumer.assign([TopicPartition(PREDICTIONS, number, 0) for number in partitions])
    found: list[Prediction] = []
    while messages := consumer.consume(5_000, 3):
        found += (decode_prediction(each.value() or b"") for each in messages if each.error() is None)
    consumer.close()
    return found
