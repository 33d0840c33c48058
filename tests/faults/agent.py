"""Kill run of the agent: 200 tickets end once each while the LLM fails and workers are killed.

python -m tests.faults.agent --tickets 200
python -m tests.faults.agent --tickets 200 --kills 20 --rate 1
python -m tests.faults.agent --tickets 200 --kills 20 --rate 1 --keys-kept 10
python -m tests.faults.agent --tickets 60 --endpoint-down
python -m tests.faults.agent --tickets 60 --desk-down
python -m tests.faults.agent --injections
"""

import argparse
import random
import sys
import threading
import time

from events.prediction import Prediction
from tests.faults.agent_account import account, read_predictions
from tests.faults.agent_ground import QUEUE, Ground, Ticket, desk_knows, escalate, place_orders, post, tickets
from tests.faults.agent_injections import injected, kept_to_the_limits
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import wait_until
from tests.faults.rig import rig

WORKERS = 2
DELAY_S = 1.0
SETTLE_S = 240
BACK_S = 60
"""Within so long after the endpoint is back, tickets are resolved again."""

DESK_LOST, DESK_GONE_S = 0.15, 12
"""In the run about the support platform: of its answers and of the calls to it, and how long it is gone."""

SLOW, BROKEN, RATE_LIMITED = 0.10, 0.05, 0.05
SLOW_S = 10.0
LOST = 0.05
"""Of the desk's answers: as many are lost after it has acted, and as many calls are turned away before."""


def kill(ground: Ground, kills: int, seconds: float, seed: int) -> None:
    """SIGKILL one of the workers at so many moments, and start it again."""
    rng = random.Random(seed)
    start = time.monotonic()
    for at in sorted(rng.uniform(1, seconds) for _ in range(kills)):
        time.sleep(max(0.0, start + at - time.monotonic()))
        name = rng.choice(ground.workers)
        print(f"  {time.monotonic() - start:6.1f} s  SIGKILL {name}", flush=True)
        ground.kill(name)


def settle(ground: Ground, known: list[Ticket]) -> None:
    """Return once each ticket has an outcome."""
    reader = OutcomeReader(ground.made.bootstrap, [QUEUE])
    events, began = {ticket.event_id for ticket in known}, time.monotonic()
    wait_until(lambda: events <= reader.read(1).ids.keys(), SETTLE_S, f"an outcome of {len(events)} tickets")
    print(f"the last outcome {time.monotonic() - began:.1f} s after the last ticket or kill")
    print(f"dead letters {dict(reader.outcomes.dead_letters)}; written twice {reader.outcomes.twice}")


def run_faults(ground: Ground, known: list[Ticket], rate: float, kills: int, seed: int) -> bool:
    """Tickets against a model that is slow, broken and busy, a desk that drops calls, and killed workers."""
    begin(ground, known)
    ground.fail(slow=SLOW, slow_s=SLOW_S, broken=BROKEN, rate_limited=RATE_LIMITED, seed=seed)
    ground.lose(lost=LOST, refused=LOST, seed=seed)
    source = threading.Thread(target=escalate, args=(ground.made.bootstrap, known, rate))
    source.start()
    kill(ground, kills, len(known) / rate, seed)
    source.join()
    settle(ground, known)
    print(f"what the stand-in answered {ground.said('llm', '/health')}")
    return account(ground, known)


def run_down(ground: Ground, known: list[Ticket], rate: float) -> bool:
    """The endpoint says 503 and then is gone, for half of the tickets; it alone is started again."""
    begin(ground, known)
    during, after = known[: len(known) // 2], known[len(known) // 2 :]
    ground.fail(down=1.0)
    escalate(ground.made.bootstrap, during[0::2], rate)
    ground.made.services["llm"].kill()
    escalate(ground.made.bootstrap, during[1::2], rate)
    settle(ground, during)
    ground.made.restart("llm")
    back = time.time()
    escalate(ground.made.bootstrap, after, rate)
    settle(ground, after)
    good = account(ground, known)
    told = read_predictions(ground.made.bootstrap)
    outage = marked([told[ticket.event_id][0] for ticket in during])
    again = normal_again([told[ticket.event_id][0] for ticket in after], back)
    return good and outage and again


def run_desk(ground: Ground, known: list[Ticket], rate: float, seed: int) -> bool:
    """The support platform loses answers, says 503, and is gone for a while in the middle."""
    begin(ground, known)
    faults = {"lost": DESK_LOST, "refused": DESK_LOST, "seed": seed}
    post(f"{ground.url('desk')}/faults", faults)
    source = threading.Thread(target=escalate, args=(ground.made.bootstrap, known, rate))
    source.start()
    time.sleep(len(known) / rate / 2)
    ground.made.services["desk"].kill()
    time.sleep(DESK_GONE_S)
    ground.made.restart("desk")
    post(f"{ground.url('desk')}/faults", faults)
    source.join()
    settle(ground, known)
    return account(ground, known)


def run_injections(ground: Ground, rate: float) -> bool:
    """The thirty tickets that try to get what nobody owes, read by a model that obeys them."""
    known, others = injected()
    begin(ground, [*known, *others])
    escalate(ground.made.bootstrap, known, rate)
    settle(ground, known)
    good = account(ground, known)
    return kept_to_the_limits(ground) and good


def marked(during: list[Prediction]) -> bool:
    """Whether each ticket of the outage is marked and handed over, within its SLA."""
    unmarked = [each for each in during if (each.fallback, each.output.label) != ("no_llm", "handed_over")]
    late = [each for each in during if each.latency_ms > each.sla_ms]
    print(f"while the endpoint was down: {len(during)} tickets, not marked {len(unmarked)}, late {len(late)}")
    return not unmarked and not late


def normal_again(after: list[Prediction], back: float) -> bool:
    """Whether the language model was asked again within a minute of its return."""
    ends = [(each.fallback, each.deadline - each.sla_ms + each.latency_ms) for each in after]
    first = min((at / 1_000 - back for fallback, at in ends if fallback is None), default=float("inf"))
    late = [at for fallback, at in ends if fallback is not None and at / 1_000 - back > BACK_S]
    print(f"back: the model's first ticket {first:.1f} s later; without it after a minute {len(late)}")
    return first <= BACK_S and not late


def begin(ground: Ground, known: list[Ticket]) -> None:
    """Everything runs, and the desk knows the orders."""
    ground.begin()
    place_orders(ground.made.bootstrap, known)
    desk_knows(ground, len(known))


def main() -> int:
    """Run once; 0 if each ticket has its one end and nothing was given that was not intended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="tickets a second")
    parser.add_argument("--kills", type=int, default=0, help="of one of the two workers")
    parser.add_argument("--keys-kept", type=int, help="seconds after which the desk forgets a key")
    parser.add_argument("--endpoint-down", action="store_true", help="for half of the tickets")
    parser.add_argument("--desk-down", action="store_true", help="the support platform, for some seconds")
    parser.add_argument("--injections", action="store_true", help="the thirty of tests/injections.yaml")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with rig(one_redis=True, seeded=False) as made:
        print(f"seed {args.seed}, logs in {made.folder}", flush=True)
        ground = Ground(made, WORKERS, DELAY_S, args.keys_kept)
        if args.injections:
            return 0 if run_injections(ground, args.rate) else 1
        known = list(tickets("faults", args.tickets, args.seed))
        if args.desk_down:
            return 0 if run_desk(ground, known, args.rate, args.seed) else 1
        if args.endpoint_down:
            return 0 if run_down(ground, known, args.rate) else 1
        return 0 if run_faults(ground, known, args.rate, args.kills, args.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
