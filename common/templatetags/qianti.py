"""What templates need beyond Django's own: where the loop stands, times and sums as people write them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeData, SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.core import text
from common.core.rendering import rendered, visible
from common.loop import Step, steps_of
from common.models import Project
from common.sentences import in_readers_language

register = template.Library()
register.filter("shortened", text.shortened)
MINUTE, HOUR = 60, 3600


@register.filter
def said(sentence: Any) -> str:
    """Write what a core said in the reader's language; what is marked as safe stays as it is."""
    text = str(sentence) if sentence else ""
    return text if isinstance(text, SafeData) else in_readers_language(text)


@register.simple_tag
def loop_steps(project: Project) -> list[Step]:
    """Return every stage of a project, for its stepper."""
    return steps_of([project])[project.pk]


@register.filter
def duration(seconds: float | None) -> str:
    """Write a time as people say it: seconds, minutes and seconds, or hours and minutes."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 1:
        return _("less than a second")
    if whole < MINUTE:
        return ngettext("%(count)s second", "%(count)s seconds", whole) % {"count": whole}
    if whole < HOUR:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": whole // MINUTE, "seconds": whole % MINUTE}
    return _("%(hours)s h %(minutes)s min") % {"hours": whole // HOUR, "minutes": whole % HOUR // MINUTE}


@register.filter
def rate(per_second: float) -> str:
    """Write a rate in the unit that makes it readable."""
    if per_second >= 1:
        return _("%(rate)s a second") % {"rate": number_format(round(per_second, 1), 1, force_grouping=True)}
    return _("%(rate)s a minute") % {"rate": number_format(round(per_second * MINUTE, 1), 1)}


@register.filter
def usd(amount: Decimal | None) -> str:
    """Write a sum in dollars, with as many places as it needs to be seen."""
    if amount is None:
        return "–"
    places = 2 if amount == 0 or abs(float(amount)) >= 0.01 else 4
    return f"${amount:,.{places}f}"


@register.filter
def percent_of(part: float, whole: float) -> str:
    """Write a share as a percentage for a drawing, 0 where there is no whole."""
    return f"{100 * part / whole:.2f}" if whole else "0"


@register.filter
def entry(mapping: Any, key: Any) -> Any:
    """Return what a mapping holds under a key, or nothing."""
    return mapping.get(key)


@register.filter
def as_json(value: Any) -> str:
    """Write a value as the JSON that it is sent as."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def kind_of(row: Any) -> str:
    """Return what a row is, in its own word."""
    return str(row._meta.verbose_name)


@register.filter
def as_tokens(tokens: Sequence[str]) -> SafeString:
    """Write a text token by token; the end of a line shows, and so does what is only a part of a character."""
    return format_html_join("", "<span>{}</span>", ((_token(text),) for text in tokens))


def _token(text: str) -> str:
    return visible(text).replace("\n", "↵\n") if text else "·"


@register.filter
def typeset(written: str) -> SafeString:
    """Set a stranger's Markdown and formulas; what comes out is harmless."""
    return SafeString(rendered(str(written)).html)
