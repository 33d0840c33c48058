"""The support desk's page. Every text on it is HTML-escaped. Pure."""

from collections.abc import Iterable, Iterator
from html import escape

from core.timestamps import readable
from events.money import written
from stack.support_desk.shelf import Counts
from stack.support_desk.told import Closed, Done, TicketFile

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
:root { color-scheme: light dark; }
article { border: 1px solid #8886; border-radius: 8px; padding: .2rem 1rem 1rem; margin: 1rem 0; }
h2 { font-size: 1.05rem; }
small, header p { opacity: .75; font-weight: normal; }
blockquote { margin: .4rem 0; padding-left: .8rem; border-left: 3px solid #8886; }
blockquote { white-space: pre-wrap; overflow-wrap: anywhere; }
.resolution { color: light-dark(#176f2c, #7cd992); }
.hand-over { color: light-dark(#8a4b00, #f0b070); }
.excess { color: light-dark(#b00020, #ff6b81); font-weight: bold; }
"""


def page(files: Iterable[TicketFile], counts: Counts) -> str:
    """The whole document."""
    rows = "".join(map(_article, files)) or "<p>No ticket was escalated yet.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="refresh" content="5"><meta name="viewport" content="width=device-width">'
        f"<title>Support desk</title><style>{_STYLE}</style></head><body><header><h1>Support desk</h1>"
        "<p>The local stack's own support platform: nobody is paid, and nothing is sent.</p>"
        f"<p>{_glance(counts)}</p></header>{rows}</body></html>"
    )


def _glance(counts: Counts) -> str:
    told = (
        f"{counts.escalated:,} escalated, {counts.resolved:,} resolved, {counts.handed_over:,} handed over; "
        f"{counts.refunds:,} refunds, {counts.vouchers:,} vouchers"
    )
    if not counts.over_refunded:
        return told
    return f'{told}; <span class="excess">{counts.over_refunded:,} orders refunded beyond their total</span>'


def _article(file: TicketFile) -> str:
    how = file.closed.how if file.closed else "open"
    order = f", order {escape(file.order_id)}" if file.order_id else ""
    parts = [
        f'<h2><span class="{how}">{how}</span> {escape(file.ticket_id)} '
        f"<small>{escape(file.customer_id)}{order}{_at(file.escalated_at)}</small></h2>",
        f"<p><b>{escape(file.subject)}</b></p>{_quote(file.body)}",
        *map(_action, file.done),
        *(_end(file.closed) if file.closed else ()),
    ]
    return f"<article>{''.join(parts)}</article>"


def _action(done: Done) -> str:
    money = "" if done.amount_minor is None else f" {escape(written(done.amount_minor, done.currency or ''))}"
    order = f" for {escape(done.order_id)}" if done.order_id else ""
    excess = ' <span class="excess">beyond what the order cost</span>' if done.excess else ""
    return f"<p><code>{escape(done.tool)}</code>{money}{order}{excess}: {escape(done.reason)}</p>"


def _end(closed: Closed) -> Iterator[str]:
    said = closed.said
    if said.fallback:
        yield f"<p>Fallback: <code>{escape(said.fallback)}</code></p>"
    if said.reason:
        yield f"<p>Why a person decides: <code>{escape(said.reason)}</code></p>"
    yield f"<p>Summary</p>{_quote(said.summary)}"
    if said.reply:
        yield f"<p>Reply to the customer</p>{_quote(said.reply)}"
    if said.draft:
        yield f"<p>Proposed reply, not sent</p>{_quote(said.draft)}"
    if said.cites:
        yield f"<p><small>rests on {escape(', '.join(said.cites))}</small></p>"
    if said.model_id:
        yield f"<p><small>by {escape(said.model_id)}{_at(closed.ended_at)}</small></p>"


def _quote(text: str) -> str:
    return f"<blockquote>{escape(text)}</blockquote>" if text else ""


def _at(at: int | None) -> str:
    return "" if at is None else f", {readable(at, 'seconds').removesuffix('+00:00')} UTC"
