"""The parts of the desk that repeat by the hundred, as HTML: as templates they took half of a page's time."""

from dataclasses import dataclass
from typing import Self

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


def outline_line(number: int, title: str) -> SafeString:
    """Return one line of the outline: a link to a step."""
    return SafeString(
        f'<li><a href="#step-{number}" data-step="{number}"><span class="num">{number}</span> {escape(title)}</a></li>'
    )


@dataclass(frozen=True)
class StepHtml:
    """Writes the plain steps of one trace; what is the same for all is looked up once."""

    label: str
    address: str
    query: str

    @classmethod
    def of(cls, trace_id: int, *, is_raw: bool) -> Self:
        """Return the writer of a trace's steps."""
        address = reverse("trace_step", args=[trace_id, 0])
        return cls(escape(_("Step %(number)s")), address.removesuffix("0/"), "/?raw=1" if is_raw else "/")

    def bare(
        self, number: int, *, start: int, end: int, title: str, kind: str, html: SafeString
    ) -> SafeString:
        """Return a step about which nothing is said; without `html` its text comes when it is opened."""
        label = self.label % {"number": number}
        badge = f'<span class="badge">{escape(kind)}</span>' if kind else ""
        body = f'<div class="reading">{html}</div>' if html else self._closed(number, title)
        return SafeString(
            f'<article class="step" id="step-{number}" tabindex="-1" data-part="thinking"'
            f' data-start="{start}" data-end="{end}"><h3><a href="#step-{number}" class="num"'
            f' aria-label="{label}">{number}</a> {badge}</h3>{body}</article>'
        )

    def _closed(self, number: int, title: str) -> str:
        return (
            f"<details data-step-body><summary>{escape(title)}</summary>"
            f'<div class="reading" hx-get="{self.address}{number}{self.query}"'
            ' hx-trigger="toggle from:closest details once" hx-swap="innerHTML">'
            '<span class="quiet">…</span></div></details>'
        )
