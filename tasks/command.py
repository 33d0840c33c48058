"""The Celery command line that runs the pool of a queue."""

from routing.catalogue import QueueSpec


def worker_command(spec: QueueSpec, node: str) -> tuple[str, ...]:
    """What an operator would type. `node` tells this worker from others on its machine.

    Time limits and the visibility timeout are not in it: every worker takes them from its queues.
    """
    return (
        *("celery", "-A", "tasks", "worker"),
        *("-Q", spec.name),
        *("--pool", spec.pool),
        *("--concurrency", str(spec.concurrency)),
        *("--prefetch-multiplier", str(spec.prefetch)),
        *("--hostname", f"{spec.name}.{node}@%h"),
        *("--loglevel", "INFO"),
    )
