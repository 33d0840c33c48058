"""The task of every workflow. A workflow's module says only its name and how its model loads."""

from abc import abstractmethod
from contextlib import suppress
from functools import partial
from importlib.metadata import version

from billiard.exceptions import SoftTimeLimitExceeded
from celery.utils.log import get_task_logger

from events.decision import dead_letter_topic
from events.errors import DeadLetter, Unavailable
from events.lane import Batch
from models.workflow import Workflow
from tasks.delivery import Delivery
from tasks.equipment import Equipment, count
from tasks.handling import Finished, Handling, Successors, TryAgain, Verdict
from tasks.lifecycle import Lifecycle
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience
from tasks.policy import Limits, batch_name
from tasks.resending import ResendingTask
from tasks.streaks import Guarded, Streak
from tasks.triage import MAX_LOSSES, GiveUp, Proceed, Resubmit, triage

logger = get_task_logger(__name__)


class InferenceTask(ResendingTask):
    """Takes one batch of events, and leaves an outcome for each of them in Kafka."""

    code_version = version("signalbox")
    max_losses = MAX_LOSSES
    """How often an event that is alone may take its worker with it, or be cut short, until it is given up."""

    @abstractmethod
    def start(self, equipment: Equipment) -> Workflow:
        """Load the model and warm it. Called once, in the process that infers."""

    @abstractmethod
    def current(self) -> Workflow:
        """What a batch that begins now is answered by, to its end."""

    def equip(self, equipment: Equipment, limits: Limits) -> None:
        """Load the workflow too."""
        super().equip(equipment, limits)
        workflow = self.start(equipment)
        self.workflow = workflow.name
        self.streak = Streak()
        logger.info("%s is loaded", workflow.version.model_id)

    def run(self, *args: object, **kwargs: object) -> str:
        """One positional argument: `events.lane.encode_batch(batch)`. Answers what Flower shows of it."""
        try:
            return self._run(args, kwargs)
        except SoftTimeLimitExceeded:
            # it struck while the batch was being sent on, or just before its work began
            self.give_back("time limit")

    def _run(self, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
        delivery, patience = self.delivery(), self.patience()
        equipment, limits = self.equipped
        if delivery.retries:
            equipment.tally.remove(delivery.queue, delivery.task_id)
        try:
            batch = self.opened(args[0] if len(args) == 1 and not kwargs else None)
        except DeadLetter as error:
            return self.dead_letter(repr((args, kwargs)).encode("utf-8", "backslashreplace"), "", error)
        engine = Guarded(
            Lifecycle(self.current(), equipment.features, self.clock, self.code_version),
            self.streak,
            self.workflow,
            passing=(SoftTimeLimitExceeded,),
        )
        handling = Handling(
            engine,
            self._publish_and_count,
            patience,
            limits,
            delivery.queue,
            delivery.retries,
            max_losses=self.max_losses,
        )
        try:
            verdict = handling.follow(self._triage(batch, delivery, patience), batch)
        except OutOfPatience:
            verdict = Successors((batch,))
        except SoftTimeLimitExceeded as error:
            waited = patience.waiting
            verdict = Successors((batch,)) if waited else handling.cut_short(batch, "timeout", error)
        except Exception as error:  # noqa: BLE001 - the outermost; `tasks.streaks` has logged its traceback
            # a bug is to cost the one event that meets it, not its batch
            logger.warning("%s: cut up after %r", batch_name(batch), error)
            verdict = handling.cut_short(batch, "unexpected", error)
        self._ended(batch, delivery)
        return self._carry_out(verdict, delivery, patience)

    def _triage(self, batch: Batch, delivery: Delivery, patience: Patience) -> Proceed | Resubmit | GiveUp:
        suspects = self.equipped[0].suspects
        lost = delivery.redelivered
        if lost and batch.losses:
            lost = patience.through(partial(suspects.had_begun, delivery.task_id))
        turn = triage(batch, lost, self.max_losses)
        if batch.losses and isinstance(turn, Proceed):
            patience.through(partial(suspects.begin, delivery.task_id))
        return turn

    def _ended(self, batch: Batch, delivery: Delivery) -> None:
        if batch.losses:
            with suppress(Unavailable):
                self.equipped[0].suspects.end(delivery.task_id)

    def _carry_out(self, verdict: Verdict, delivery: Delivery, patience: Patience) -> str:
        match verdict:
            case Finished(summary):
                return summary
            case Successors(batches):
                for batch in batches:
                    if not patience.hand_back(partial(self.send_on, batch, delivery)):
                        self.give_back("the broker took no successor")
                return f"sent on as {len(batches)} messages"
            case TryAgain() if verdict.whole and delivery.retries < self.max_retries:
                # Celery's own retry, after the route's pause
                verdict.error.pause_ms = verdict.pause
                raise verdict.error
            case TryAgain():
                raise self.retry(
                    (self.signed(verdict.batch),),
                    exc=verdict.error,
                    countdown=verdict.pause / 1_000,
                    max_retries=verdict.max_retries,
                )

    def _publish_and_count(self, outcomes: Outcomes) -> None:
        outcomes.write(self.publish)
        count(outcomes, self.workflow, dead_letter_topic(outcomes.attempt.queue))
