"""From nothing to a running stack: servers, topics, the past's features, a model, then what works on them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import ConsumerGroupState, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from dispatcher.lane_reader import feeder_group
from dispatcher.router import GROUP as ROUTER_GROUP
from dispatcher.topics import DeclaredTopics
from events.errors import Unavailable
from events.topics import EVENTS
from features.pipeline.member import GROUP as PIPELINE_GROUP
from models.telling import change_told
from routing import Rules
from settings import Settings
from stack.champions import Past, ensure_champion, trainings
from stack.child import Child, Service
from stack.embedded import Server
from stack.leftovers import drop_queues
from stack.output import Listening
from stack.parts import KAFKA, REDIS, REGISTRY, Parts
from stack.past import counting_a_past, follow, forget_online, knows_a_past, upgrade_store
from stack.services import POOLS, SERVERS, Plan, command, served_lanes, services
from stack.step import run_step
from stack.supervisor import ITSELF, Supervisor
from transport.cluster import Bootstrap
from transport.kafka import admin_client
from transport.topics import TopicSpec, create_topics

LOOK_S = 0.1
REGISTRY_START_S = 120
"""Nine seconds by itself; with every core at work it took more than sixty."""

START_S = 300
"""For all parts together, which load their models at the same time. One that ends is not waited for."""

Say = Callable[[str], None]


class Assembly:
    """Brings the stack up under a supervisor, telling each step through `say`."""

    def __init__(self, supervisor: Supervisor, output: Listening, say: Say) -> None:
        self._supervisor = supervisor
        self._output = output
        self.say = say
        self._registry: Child | None = None

    def servers(self, parts: Parts, make_topics: Callable[[], None]) -> None:
        """The embedded servers. A Kafka that died and came back is empty: its topics are made again."""

        def begin_anew() -> None:
            make_topics()
            self._follow(parts)

        for server in parts.servers:
            child = self._supervisor.launch(self._server(server, begin_anew))
            if server.name == REGISTRY:
                # it takes ten seconds, and is needed only once the past is counted
                self._registry = child
            else:
                self._supervisor.await_ready(child)
            self.say(f"{server.name} is embedded, at {server.url}")
            if server.note:
                self.say(server.note)
        if {KAFKA, REDIS} <= parts.embedded:
            self._drop_leftovers(parts)

    def _drop_leftovers(self, parts: Parts) -> None:
        if dropped := drop_queues(parts.env["CELERY_BROKER_URL"], parts.env["REDIS_URL"]):
            self.say(
                f"dropped {dropped:,} messages that the last run left in the Celery queues: the embedded "
                "Kafka keeps its records in memory, and those that they name are gone"
            )

    def _server(self, server: Server, begin_anew: Callable[[], None]) -> Service:
        def lost() -> None:
            begin_anew()
            self._output(ITSELF, f"{server.name} keeps its data in memory: what stood there is gone")

        return Service(
            server.name,
            server.command,
            env=server.env,
            ready=server.ready,
            after_restart=None if server.durable else lost,
            # the registry takes seconds to stop: beside the pools, which serve without it with what they have
            tier=POOLS if server.name == REGISTRY else SERVERS,
            # what lives in memory has nothing to save, and would wait for its clients to leave first
            grace=10 if server.durable else 0,
        )

    def features(self, parts: Parts, env: Mapping[str, str], *backfill: str) -> None:
        """Both tiers of the feature store from the past, where they know none."""
        store = upgrade_store(env)
        if store.found is not None and not store.current:
            self.say(f"the SQL store was at revision {store.found}, and is at {store.needed} now")
        self._follow(parts)
        if knows_a_past(env):
            return
        self.say("the feature store knows no past yet: counting one")
        forget_online(env)
        with counting_a_past(env):
            run_step("backfill", command("features", "backfill", *backfill), env, self._output)
        # beat does it every hour: until then a fresh stack would count its batch views as stale
        run_step("materialize", command("features", "materialize"), env, self._output)

    def _follow(self, parts: Parts) -> None:
        log = topic_id(EVENTS, parts.kafka)
        follow(parts.env, log, unknown_is_another=KAFKA in parts.embedded)

    def models(self, rules: Rules, env: Mapping[str, str], past: Past) -> None:
        """Train each on those features, and let it serve, if none does."""
        if self._registry is not None:
            self._supervisor.await_ready(self._registry, REGISTRY_START_S)
        for model, arguments in trainings(rules, past):

            def train(model: str = model, arguments: tuple[str, ...] = arguments) -> None:
                self.say(f"no {model} serves yet: making one")
                run_step("train", command(*arguments), env, self._output)

            if change := ensure_champion(env, model, train):
                self.say(change_told(change))

    def start(self, plan: Plan, kafka: Bootstrap) -> tuple[str, ...]:
        """Everything else, all at the same time. Returns once what can say so is ready, or has ended.

        The names of those that ended or are not ready: they are started again, and the rest works.
        """
        groups = (
            ROUTER_GROUP,
            PIPELINE_GROUP,
            *(feeder_group(lane.topic) for lane in served_lanes(plan.rules)),
        )
        admin = admin_client(kafka, **{"log_level": 0})
        pending = services(plan, self._output.has_said, lambda: groups_formed(admin, groups))
        children = [self._supervisor.launch(service) for service in pending]
        return tuple(child.service.name for child in self._supervisor.await_each(children, START_S))


def declared_topics(settings: Settings, parts: Parts) -> DeclaredTopics:
    """What is declared of the topics; an embedded Kafka has one node."""
    replicas = 1 if KAFKA in parts.embedded else settings.replicas
    return DeclaredTopics(settings.topics, settings.partitions, replicas)


def make_topics(specs: Iterable[TopicSpec], bootstrap: Bootstrap) -> tuple[str, ...]:
    """The names of the topics that were missing and are there now.

    Raises `ConfigError` for what Kafka refuses, and `Unavailable`.
    """
    admin = admin_client(bootstrap, **{"log_level": 0})
    return create_topics(admin, specs)


def topic_id(topic: str, bootstrap: Bootstrap, timeout: float = 10) -> str:
    """What Kafka gave a topic when it was made: one that is made again has another. Raises `Unavailable`."""
    admin = admin_client(bootstrap, **{"log_level": 0})
    deadline = time.monotonic() + timeout
    while True:
        try:
            asked = admin.describe_topics(TopicCollection([topic]), request_timeout=timeout)
            return str(asked[topic].result().topic_id)
        except KafkaException as error:  # a topic just made is not known to every broker at once
            if time.monotonic() > deadline:
                raise Unavailable("kafka", error) from error
            time.sleep(LOOK_S)


def groups_formed(admin: AdminClient, groups: Sequence[str], timeout: float = 3) -> bool:
    """Whether each consumer group has members that have their partitions."""
    try:
        asked = admin.describe_consumer_groups(list(groups), request_timeout=timeout)
        return all(group.result().state is ConsumerGroupState.STABLE for group in asked.values())
    except KafkaException:  # none of that name yet, or Kafka is busy: asked again
        return False
