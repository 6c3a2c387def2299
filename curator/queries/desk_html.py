"""The parts of the desk that repeat by the hundred, as HTML: as templates they took half of a page's time."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


def outline_line(number: int, title: str, names: Iterable[str]) -> SafeString:
    """Return one line of the outline: a link to a step, with what is suspicious in it."""
    badges = "".join(f' <b class="badge badge-warn">{escape(name)}</b>' for name in names)
    warns = ' class="warn"' if badges else ""
    return SafeString(
        f'<li><a href="#step-{number}" data-step="{number}"{warns}>'
        f'<span class="num">{number}</span> {escape(title)}{badges}</a></li>'
    )


def bare_step(
    trace_id: int, number: int, *, start: int, end: int, title: str, kind: str, html: SafeString, is_raw: bool
) -> SafeString:
    """Return a step about which nothing is said; without `html` its text comes when it is opened."""
    label = escape(_("Step %(number)s") % {"number": number})
    badge = f'<span class="badge">{escape(kind)}</span>' if kind else ""
    body = f'<div class="reading">{html}</div>' if html else _closed(trace_id, number, title, is_raw=is_raw)
    return SafeString(
        f'<article class="step" id="step-{number}" tabindex="-1" data-part="thinking"'
        f' data-start="{start}" data-end="{end}">'
        f'<h3><a href="#step-{number}" class="num" aria-label="{label}">{number}</a> {badge}</h3>{body}</article>'
    )


def _closed(trace_id: int, number: int, title: str, *, is_raw: bool) -> str:
    address = reverse("trace_step", args=[trace_id, number]) + ("?raw=1" if is_raw else "")
    return (
        f"<details data-step-body><summary>{escape(title)}</summary>"
        f'<div class="reading" hx-get="{address}" hx-trigger="toggle from:closest details once"'
        ' hx-swap="innerHTML"><span class="quiet">…</span></div></details>'
    )
