"""The delivery of a Celery message: its queue, and whether it was redelivered."""

from dataclasses import dataclass

from celery.app.task import Context


@dataclass(frozen=True, slots=True)
class Delivery:
    """The message's id, its queue, its priority's number there; whether it came before; its retries."""

    task_id: str
    queue: str
    priority: int | None
    redelivered: bool
    retries: int

    @classmethod
    def of(cls, request: Context) -> "Delivery":
        """What Celery knows of the message that runs now. The default exchange routes by the queue's name."""
        info = request.delivery_info or {}
        return cls(
            task_id=str(request.id),
            queue=str(info.get("routing_key") or ""),
            priority=info.get("priority"),
            redelivered=bool(info.get("redelivered")),
            retries=request.retries,
        )
