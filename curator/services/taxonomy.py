"""The field's domains, read from a file or typed in, and the words by which questions find them."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.core.text import neutralise
from common.models import Project, User
from curator import readers
from curator.core.classification import MOST_PHRASES, OTHER, phrases_of
from curator.core.taxonomy import (
    NO_WEIGHT,
    Changes,
    Entry,
    Node,
    changes_between,
    cycle_in,
    nearest_kept,
    read_outline,
    weight_of,
)
from curator.models import Domain, DomainRule, Question
from curator.queries import get_nodes
from curator.services.labels import other_domain, relabel

LONGEST_CODE, LONGEST_NAME, LONGEST_WORDS = 100, 200, 500  # characters
MOST_DOMAINS = 5000
_NAMES = {
    "code": ("code", "id", "no", "number", "domain code", "编号", "代码", "编码", "序号", "领域编号", "领域代码"),
    "name": ("name", "title", "domain", "topic", "unit", "名称", "领域", "领域名称", "标题", "知识点", "章节", "单元"),
    "parent": ("parent", "parent code", "belongs to", "上级", "父级", "上级编号", "上级代码", "父级编号", "所属", "父节点"),
    "weight": ("weight", "share", "percent", "percentage", "权重", "比重", "占比", "比例", "分值"),
}  # fmt: skip

Where = Callable[[int, str], str]  # a row or line and a field, as words


@dataclass(frozen=True)
class Plan:
    """What a typed tree would change, and where the questions of removed domains would go."""

    changes: Changes
    moving: tuple[tuple[Node, int, str], ...]  # a removed domain, its questions, and the code that takes them
    digest: str  # of the tree as it was when this was planned, and of what was typed


@transaction.atomic
def import_taxonomy(*, project: Project, path: Path, file_name: str = "") -> int:
    """Read the domains of a syllabus (code, name, parent, weight); those there are changed, none is removed.

    A column that the file lacks changes nothing.

    Raises:
        Refusal: no table, no column of codes, a code twice or too long, an unknown parent, a domain that
            would be its own ancestor, or a weight that is no number; it names row and column.
    """
    table = readers.open_table(path, file_name)
    columns = {
        field: next((column for column in table.columns if _heading(column) in names), None)
        for field, names in _NAMES.items()
    }
    if columns["code"] is None:
        raise Refusal(
            _("%(file)s has no column “code”; it has %(columns)s.")
            % {"file": file_name or path.name, "columns": ", ".join(table.columns)}
        )
    rows = [_entry(row, columns, number) for number, row in enumerate(table.rows, start=table.first_row)]
    entries = [entry for entry in rows if entry.code or entry.name or entry.parent or entry.weight]

    def where(row: int, field: str) -> str:
        column = columns[field] or field
        return _("Row %(row)s, column “%(column)s”") % {"row": row, "column": column}

    _locked(project)
    before = get_nodes(project)
    _write(project, _merged(before, entries, where))
    return len(entries)


def _locked(project: Project) -> None:
    """Let one change of a project's taxonomy, or one import, go on at a time."""
    Project.objects.select_for_update().get(pk=project.pk)


def _heading(column: str) -> str:
    return " ".join(column.replace("_", " ").casefold().split())


def _entry(row: Mapping[str, Any], columns: Mapping[str, str | None], number: int) -> Entry:
    cells = {field: None if column is None else _cell(row.get(column)) for field, column in columns.items()}
    return Entry(number, cells.pop("code") or "", **cells)


def _cell(found: Any) -> str:
    if isinstance(found, float) and found.is_integer():
        found = int(found)  # a spreadsheet's 1.0 is the code 1
    return "" if found is None else _clean(str(found))


def _clean(text: str) -> str:
    return " ".join(neutralise(text)[0].split())


def _merged(before: Iterable[Node], entries: Sequence[Entry], where: Where) -> list[Node]:
    """Return the tree that a file or typed lines make of another.

    Raises:
        Refusal: naming the place of the first fault.
    """
    after = {node.code: node for node in before}
    _refuse_twice(entries, where)
    for entry in entries:
        after[entry.code] = _node(after.get(entry.code), entry, where)
    if len(after) > MOST_DOMAINS:
        raise Refusal(
            _("The taxonomy would have %(count)s domains; at most %(most)s are kept. Leave out some.")
            % {"count": len(after), "most": MOST_DOMAINS}
        )
    names = Counter(node.name for node in after.values())
    by_name = {node.name: node.code for node in after.values() if names[node.name] == 1}
    for entry in entries:
        parent = _parent(after, by_name, entry, where)
        after[entry.code] = replace(after[entry.code], parent=parent)
    _refuse_cycle({node.code: node.parent for node in after.values()}, entries, where)
    return list(after.values())


def _refuse_twice(entries: Sequence[Entry], where: Where) -> None:
    seen: dict[str, int] = {}
    for entry in entries:
        if not entry.code:
            raise Refusal(
                _("%(where)s: it is empty; give the domain a code.") % {"where": where(entry.place, "code")}
            )
        if entry.code in seen:
            raise Refusal(
                _("%(where)s: the code “%(code)s” stands in %(first)s already; remove one.")
                % {"where": where(entry.place, "code"), "code": entry.code, "first": seen[entry.code]}
            )
        seen[entry.code] = entry.place


def _node(known: Node | None, entry: Entry, where: Where) -> Node:
    """Return an entry as a domain; what it says nothing of stays as it was."""
    node = known or Node(entry.code, entry.code)
    name = entry.name or node.name
    for field, text, most in (("code", entry.code, LONGEST_CODE), ("name", name, LONGEST_NAME)):
        if len(text) > most:
            raise Refusal(
                _("%(where)s: “%(text)s…” has %(length)s characters, more than %(most)s; shorten it.")
                % {"where": where(entry.place, field), "text": text[:20], "length": len(text), "most": most}
            )
    weight = node.weight if entry.weight is None else _weight(entry.weight, entry.place, where)
    return Node(entry.code, name, node.parent, weight)


def _weight(text: str, place: int, where: Where) -> float | None:
    if text in ("", NO_WEIGHT):
        return None
    weight = weight_of(text)
    if weight is None:
        raise Refusal(
            _("%(where)s: the weight “%(weight)s” is no number.")
            % {"where": where(place, "weight"), "weight": text}
        )
    if not math.isfinite(weight) or weight < 0:
        raise Refusal(
            _("%(where)s: the weight “%(weight)s” is not 0 or more.")
            % {"where": where(place, "weight"), "weight": text}
        )
    return weight


def _parent(after: Mapping[str, Node], by_name: Mapping[str, str], entry: Entry, where: Where) -> str:
    """Return the code of an entry's parent, which may be named by its code or its name."""
    if entry.parent is None:
        return after[entry.code].parent
    if not entry.parent or entry.parent in after:
        return entry.parent
    if entry.parent in by_name:
        return by_name[entry.parent]
    raise Refusal(
        _("%(where)s: there is no domain “%(parent)s”; add a row for it, or correct the code.")
        % {"where": where(entry.place, "parent"), "parent": entry.parent}
    )


def _refuse_cycle(parents: Mapping[str, str], entries: Sequence[Entry], where: Where) -> None:
    code = cycle_in(parents)
    if not code:
        return
    ring = {code}
    while (code := parents[code]) not in ring:
        ring.add(code)
    entry = next(entry for entry in entries if entry.code in ring)
    raise Refusal(
        _("%(where)s: “%(code)s” would be its own ancestor; give it another parent.")
        % {"where": where(entry.place, "parent"), "code": entry.code}
    )


def _write(project: Project, after: Iterable[Node]) -> None:
    """Make a project's domains those of a tree; domains that are not in it stay as they are."""
    nodes = list(after)
    known = {domain.code: domain for domain in Domain.objects.filter(project=project)}
    new = [node for node in nodes if node.code not in known]
    made = Domain.objects.bulk_create(
        [Domain(project=project, code=node.code, name=node.name) for node in new]
    )
    known |= {domain.code: domain for domain in made}
    changed = []
    for node in nodes:
        domain = known[node.code]
        parent = known[node.parent].pk if node.parent else None
        if (domain.name, domain.weight, domain.parent_id) != (node.name, node.weight, parent):
            domain.name, domain.weight, domain.parent_id = node.name, node.weight, parent
            changed.append(domain)
    Domain.objects.bulk_update(changed, ["name", "weight", "parent"], batch_size=1000)


# --- a whole tree, typed ---


def plan_outline(*, project: Project, text: str) -> Plan:
    """Return what a typed tree would change, as `apply_outline` would; nothing is written.

    Raises:
        Refusal: as `import_taxonomy`, naming the line.
    """
    return _planned(project, text)[0]


def _planned(project: Project, text: str) -> tuple[Plan, list[Node]]:
    before = get_nodes(project)
    entries = [
        replace(
            entry, code=_clean(entry.code), name=_clean(entry.name or ""), parent=_clean(entry.parent or "")
        )
        for entry in read_outline(text)
    ]
    typed = {entry.code for entry in entries}
    # The bucket for what belongs nowhere stays, whether it is typed or not.
    kept = [
        replace(node, parent=node.parent if node.parent in typed else "")
        for node in before
        if node.code in typed or node.code == OTHER
    ]
    after = _merged(kept, entries, lambda line, _field: _("Line %(line)s") % {"line": line})
    changes = changes_between(before, after)
    return Plan(changes, _moving(project, before, after, changes.removed), _digest(before, text)), after


def _moving(
    project: Project, before: Iterable[Node], after: Iterable[Node], removed: Iterable[Node]
) -> tuple[tuple[Node, int, str], ...]:
    """Return where the questions of removed domains go: to the nearest ancestor that stays, or to “other”."""
    parents, staying = {node.code: node.parent for node in before}, [node.code for node in after]
    return tuple(
        (
            node,
            Question.objects.filter(project=project, domain__code=node.code).count(),
            nearest_kept(node.parent, parents, staying) or OTHER,
        )
        for node in removed
    )


def _digest(before: Iterable[Node], text: str) -> str:
    shown = repr(sorted(before, key=lambda node: node.code)) + repr(text.splitlines())
    return hashlib.sha256(shown.encode(errors="replace")).hexdigest()


@transaction.atomic
def apply_outline(*, project: Project, text: str, digest: str, by: User | None) -> Plan:
    """Make the taxonomy what was typed, as it was planned: domains that are not in it go.

    Raises:
        Refusal: as `plan_outline`; or the taxonomy is not the one that was planned for any more.
    """
    _locked(project)
    plan, after = _planned(project, text)
    if plan.digest != digest:
        raise Refusal(_("The taxonomy or your text has changed meanwhile; look at the changes again."))
    _write(project, after)
    for node, _questions, heir in plan.moving:
        _hand_over(Domain.objects.get(project=project, code=node.code), heir, by)
    gone = Domain.objects.filter(project=project, code__in=[node.code for node in plan.changes.removed])
    gone.update(parent=None)
    gone.delete()
    return plan


def _hand_over(domain: Domain, heir: str, by: User | None) -> int:
    """Move a domain's questions to another domain; who put them where stays on record."""
    keys = list(domain.questions.values_list("pk", flat=True))
    if not keys:
        return 0
    project = domain.project
    to = other_domain(project) if heir == OTHER else Domain.objects.get(project=project, code=heir)
    return relabel(keys=keys, domain=to, source=None, by=by).count


# --- one domain ---


@transaction.atomic
def save_domain(
    *,
    project: Project,
    domain: Domain | None = None,
    code: str,
    name: str = "",
    parent: Domain | None = None,
    weight: float | None = None,
) -> Domain:
    """Make a domain, or change one: its code, its name, where it hangs and what it weighs.

    Raises:
        Refusal: the code is empty, taken or too long, or the domain would be its own ancestor.
    """
    _locked(project)
    code, name = _clean(code), _clean(name)
    before = {node.code: node for node in get_nodes(project)}
    if code in before and (domain is None or domain.code != code):
        raise Refusal(_("There is a domain with the code “%(code)s” already.") % {"code": code})
    if domain is not None and domain.code == OTHER and code != OTHER:
        raise Refusal(_("The code “other” marks the domain for what belongs nowhere else; keep it."))
    if domain is not None and domain.code != code:
        _refuse_too_long(code)
        Domain.objects.filter(pk=domain.pk).update(code=code)
        before = {node.code: node for node in get_nodes(project)}
    entry = Entry(1, code, name, parent.code if parent else "", "" if weight is None else repr(weight))
    words = {"code": _("Code"), "name": _("Name"), "parent": _("Parent"), "weight": _("Weight")}
    _write(project, _merged(before.values(), [entry], lambda _place, field: words[field]))
    return Domain.objects.get(project=project, code=code)


def _refuse_too_long(code: str) -> None:
    if not code or len(code) > LONGEST_CODE:
        raise Refusal(_("A code has 1 to %(most)s characters.") % {"most": LONGEST_CODE})


@transaction.atomic
def remove_domain(*, domain: Domain, heir: str = "", by: User | None) -> int:
    """Remove a domain; what hangs under it moves up, and its questions go to `heir`. Return how many went.

    `heir` is "parent" or "other"; without one a domain that has questions is not removed.

    Raises:
        Refusal: it has questions and none was named to take them, or none can.
    """
    _locked(domain.project)
    if heir not in ("", "parent", OTHER):
        raise Refusal(_("The questions can go to the parent or to “other”."))
    if domain.questions.exists() and not heir:
        raise Refusal(_("%(name)s has questions; say where they should go.") % {"name": domain.name})
    if heir == "parent" and domain.parent is None:
        raise Refusal(_("%(name)s has no parent; its questions can go to “other”.") % {"name": domain.name})
    if heir == OTHER and domain.code == OTHER and domain.questions.exists():
        raise Refusal(_("Its questions are in no other domain; sort them first."))
    moved = _hand_over(domain, domain.parent.code if heir == "parent" and domain.parent else OTHER, by)
    domain.children.update(parent=domain.parent)
    domain.delete()
    return moved


# --- its rules ---


@transaction.atomic
def add_rule(*, domain: Domain, words: str) -> DomainRule:
    """Keep words by which questions are put into a domain: any of them in a question is enough.

    Raises:
        Refusal: no word, too many characters, the rule is there already, or the project has too many.
    """
    _locked(domain.project)
    clean = ", ".join(phrases_of(neutralise(words)[0]))
    if not clean:
        raise Refusal(_("Type at least one word; several are parted by commas."))
    if len(clean) > LONGEST_WORDS:
        raise Refusal(
            _("The words have %(length)s characters, more than %(most)s; make two rules of them.")
            % {"length": len(clean), "most": LONGEST_WORDS}
        )
    rules = DomainRule.objects.filter(domain__project=domain.project).values_list("words", flat=True)
    if sum(len(phrases_of(each)) for each in [*rules, clean]) > MOST_PHRASES:
        raise Refusal(
            _("The project has %(most)s words and phrases in its rules, and no more can be looked for.")
            % {"most": MOST_PHRASES}
        )
    rule, made = DomainRule.objects.get_or_create(domain=domain, words=clean)
    if not made:
        raise Refusal(_("This rule is there already."))
    return rule


def remove_rule(*, rule: DomainRule) -> None:
    """Forget a rule; questions that it put into a domain stay there."""
    rule.delete()
