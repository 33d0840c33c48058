"""`signalbox traffic`: RetailPulse's events, played into the event topic."""

from datetime import datetime
from typing import Annotated

import typer

from routing import load
from settings import load_settings
from stack.live_traffic import live_traffic, today
from stack.player import play, speed_for
from stack.retail import Retail
from stack.traffic import Audience, day_of_traffic, days_of_traffic
from transport.clock import system_clock


def traffic(
    rate: Annotated[float, typer.Option(min=0.1, help="Events a second, on average.")] = 50,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day played.")] = None,
) -> None:
    """Play RetailPulse's events into the event topic, endlessly: today's as they occur, and guests'.

    With a day, play that day and those after it faster than they happened; older days than the event types
    take need SIGNALBOX_EVENT_AGE_DAYS. Only what has a worker is played.
    """
    settings = load_settings()
    audience = Audience.of(load(settings.routing_table, settings.workflows))
    if day is None:
        typer.echo(f"the shop's events of today, and guests: {rate:g} events a second")
        events = live_traffic(Retail(), audience, rate, system_clock, today())
        play(events, settings.kafka_cluster, speed=1)
        return
    speed = speed_for(rate, len(day_of_traffic(Retail(), day.date(), audience)))
    typer.echo(f"a day from {day:%Y-%m-%d} on, {speed:.0f} times as fast as it happened, {rate:g} a second")
    play(days_of_traffic(Retail(), audience, first=day.date()), settings.kafka_cluster, speed=speed)
