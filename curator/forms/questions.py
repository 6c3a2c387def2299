"""Which questions to list, what a person changes of one, and of many at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.core.text import neutralise, shortened
from common.models import Project
from curator.core.rows import LONGEST_TEXT, MOST_OPTIONS
from curator.core.rows.cells import Refused, read_tags
from curator.core.search import LONGEST_SEARCH
from curator.forms.choices import ANY, LANGUAGES
from curator.models import RATINGS, Domain, DomainSource, Pool, Question, Standing
from curator.queries import (
    FLAGS,
    NO_DOMAIN,
    ORDERS,
    UNRATED,
    UNSURE,
    Cursor,
    Order,
    get_domain_tree,
    get_order,
    read_cursor,
)

_RATED = [(str(rating), str(rating)) for rating in range(1, RATINGS + 1)]
_SPARE_OPTIONS = 2  # empty fields below the last option
_LONGEST_LABEL = 40  # columns of a name in a list of choices
_MOST_DOMAINS = 100  # in the filter, which every page carries; of more, the upper levels stand for the lower
_ORDER_WORDS = {
    "oldest": gettext_lazy("oldest first"),
    "newest": gettext_lazy("newest first"),
    "changed": gettext_lazy("changed lately"),
    "most_marks": gettext_lazy("most marks"),
    "fewest_marks": gettext_lazy("fewest marks"),
    "longest": gettext_lazy("longest"),
    "shortest": gettext_lazy("shortest"),
    "domain": gettext_lazy("by domain"),
    "least_sure": gettext_lazy("least sure of the domain"),
    "hardest": gettext_lazy("rated hardest"),
}
_BEST = gettext_lazy("best match, or oldest")  # where no order is chosen
_FLAG_WORDS = {
    "neutralised": gettext_lazy("made harmless"),
    "copy": gettext_lazy("near copy"),
    "leak": gettext_lazy("shared with a benchmark"),
    "flaw": gettext_lazy("has a flaw"),
    "disputed": gettext_lazy("keys disagree"),
    "doubted": gettext_lazy("a reviewer doubts it"),
}


def _domain_choices(tree: Sequence[tuple[Domain, int]]) -> list[tuple[str, str]]:
    """Return domains as a tree to choose from; a space that does not fold shows the depth."""
    return [
        (str(domain.pk), "\u00a0\u00a0" * depth + shortened(domain.name, _LONGEST_LABEL))
        for domain, depth in tree
    ]


def _upper(tree: Sequence[tuple[Domain, int]], chosen: str) -> list[tuple[Domain, int]]:
    """Return as many levels of a tree as are not too many to list, and the domain that is chosen."""
    deepest = max((depth for _domain, depth in tree), default=0)
    while deepest and sum(depth <= deepest for _domain, depth in tree) > _MOST_DOMAINS:
        deepest -= 1
    return [(domain, depth) for domain, depth in tree if depth <= deepest or str(domain.pk) == chosen]


class TagsField(forms.CharField):
    """Tags, parted by commas."""

    def clean(self, value: Any) -> list[str]:
        """Return the tags, each once."""
        try:
            tags, _changed = read_tags(super().clean(value))
        except Refused as refused:
            raise forms.ValidationError(
                _("There are too many tags, or one is too long; part them with commas.")
            ) from refused
        return list(tags)


class QuestionFilterForm(forms.Form):
    """Which questions to list, in which order, from which place on."""

    text = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        strip=False,  # a space at the end says that the last word is whole
        widget=forms.TextInput(attrs={"type": "search", "maxlength": LONGEST_SEARCH}),
    )
    pool = forms.ModelChoiceField(
        label=gettext_lazy("Pool"),
        queryset=Pool.objects.none(),
        required=False,
        empty_label=gettext_lazy("any"),
    )
    domain = forms.ChoiceField(label=gettext_lazy("Domain"), required=False)
    key = forms.ChoiceField(
        label=gettext_lazy("Key"),
        choices=[ANY, ("missing", gettext_lazy("needs one")), ("there", gettext_lazy("has one"))],
        required=False,
    )
    standing = forms.ChoiceField(
        label=gettext_lazy("Standing"), choices=[ANY, *Standing.choices], required=False
    )
    order = forms.ChoiceField(
        label=gettext_lazy("Sorted"),
        choices=[("", _BEST), *[(name, _ORDER_WORDS[name]) for name in ORDERS]],
        required=False,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[ANY, *LANGUAGES], required=False)
    traces = forms.ChoiceField(
        label=gettext_lazy("Traces"),
        choices=[ANY, ("some", gettext_lazy("has some")), ("none", gettext_lazy("has none"))],
        required=False,
    )
    domain_source = forms.ChoiceField(
        label=gettext_lazy("Domain given by"), choices=[ANY, *DomainSource.choices], required=False
    )
    rating = forms.ChoiceField(
        label=gettext_lazy("Difficulty, as rated"),
        choices=[ANY, *_RATED, (UNRATED, gettext_lazy("not rated"))],
        required=False,
    )
    marks_from = forms.DecimalField(label=gettext_lazy("Marks from"), required=False, min_value=0)
    marks_to = forms.DecimalField(label=gettext_lazy("Marks to"), required=False, min_value=0)
    tags = TagsField(label=gettext_lazy("Tags"), required=False, max_length=500)
    flags = forms.MultipleChoiceField(
        label=gettext_lazy("Only questions that are"),
        choices=[(name, _FLAG_WORDS[name]) for name in FLAGS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    after = forms.CharField(required=False, widget=forms.HiddenInput, max_length=300)
    before = forms.CharField(required=False, widget=forms.HiddenInput, max_length=300)

    FIRST = ("text", "pool", "domain", "key", "standing", "order")  # the others wait behind a fold

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.project = project
        self.fields["pool"].queryset = Pool.objects.filter(project=project)  # type: ignore[attr-defined]
        self.fields["pool"].label_from_instance = lambda pool: shortened(pool.name, _LONGEST_LABEL)  # type: ignore[attr-defined]
        shown = _upper(get_domain_tree(project), self.data.get("domain", ""))
        named = [(NO_DOMAIN, _("none")), (UNSURE, _("a machine is not sure"))]
        self.fields["domain"].choices = [ANY, *named, *_domain_choices(shown)]  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """Return what to look for; what is too long is cut, and the line says where."""
        return str(self.cleaned_data["text"])[:LONGEST_SEARCH]

    def clean(self) -> dict[str, Any]:
        """Read the place in the order; an address that names none begins at the beginning."""
        values = super().clean() or {}
        for name in ("after", "before"):
            values[name] = self._place(values.get(name) or "")
        return values

    @property
    def sorting(self) -> Order:
        """Return the order that is asked for; read it after `is_valid`."""
        typed = self.cleaned_data.get("text") or ""
        return get_order(self.project, self.cleaned_data.get("order") or "", typed)

    def _place(self, text: str) -> Cursor | None:
        try:
            return read_cursor(text, self.sorting) if text else None
        except ValueError:
            self.add_error(None, _("This page is not there; here is the first one."))
            return None

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the filters that hold, without order and place; read it after `is_valid`."""
        beside, nothing = ("order", "after", "before"), (None, "", [])
        values = self.cleaned_data.items()
        return {name: value for name, value in values if value not in nothing and name not in beside}

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """Return the fields that are always in view."""
        return [self[name] for name in self.FIRST]

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """Return the fields behind the fold."""
        return [field for field in self.visible_fields() if field.name not in self.FIRST]

    @property
    def is_unfolded(self) -> bool:
        """Tell whether a filter behind the fold holds."""
        return any(self.data.get(field.name) for field in self.further_fields)


class KeyForm(forms.Form):
    """A question's key."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=10_000,
        help_text=gettext_lazy("The right answer: letters such as B or ACD where there are options."),
    )


class StandingForm(forms.Form):
    """An expert's word about a question."""

    standing = forms.ChoiceField(label=gettext_lazy("Standing"), choices=Standing.choices)


class QuestionForm(forms.Form):
    """All that a person may change of a question; each option has a field of its own."""

    text = forms.CharField(
        label=gettext_lazy("Question"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 8})
    )
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text=gettext_lazy("The right answer: letters such as B or ACD where there are options."),
    )
    solution = forms.CharField(
        label=gettext_lazy("Reference solution"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    domain = forms.ChoiceField(label=gettext_lazy("Domain"), required=False)
    marks = forms.DecimalField(
        label=gettext_lazy("Marks"), required=False, min_value=0, max_digits=7, decimal_places=2
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    rating = forms.TypedChoiceField(
        label=gettext_lazy("Difficulty, from 1 to 5"),
        choices=[("", gettext_lazy("not rated")), *_RATED],
        coerce=int,
        empty_value=None,
        required=False,
    )
    tags = TagsField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=3000,
        help_text=gettext_lazy("Parted by commas."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=16)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, question: Question, seen: str, **options: Any
    ) -> None:
        super().__init__(data, initial=self._initial(question, seen), **options)
        self.project = question.project
        self.fields["domain"].choices = [("", _("none")), *_domain_choices(get_domain_tree(question.project))]  # type: ignore[attr-defined]
        if question.language not in dict(LANGUAGES):
            self.fields["language"].choices += [(question.language, question.language)]  # type: ignore[attr-defined]
        sent = sum(name.startswith("option_") for name in data or ())
        wanted = max(len(question.options) + _SPARE_OPTIONS, sent)
        for place in range(min(wanted, MOST_OPTIONS)):
            self.fields[f"option_{place}"] = self._option(place, question.options)

    @staticmethod
    def _initial(question: Question, seen: str) -> dict[str, Any]:
        plain = {name: getattr(question, name) for name in ("text", "key", "solution", "language", "rating")}
        marks = None if question.marks is None else f"{question.marks.normalize():f}"
        tags = ", ".join(question.tags)
        return {**plain, "marks": marks, "tags": tags, "domain": question.domain_id or "", "seen": seen}

    @staticmethod
    def _option(place: int, options: Sequence[str]) -> forms.CharField:
        return forms.CharField(
            label=_("Option %(letter)s") % {"letter": chr(ord("A") + place)},
            max_length=LONGEST_TEXT,
            required=False,
            initial=options[place] if place < len(options) else "",
            widget=forms.Textarea(attrs={"rows": 1}),
        )

    @property
    def option_fields(self) -> list[forms.BoundField]:
        """Return the fields of the options."""
        return [field for field in self.visible_fields() if field.name.startswith("option_")]

    @property
    def value_fields(self) -> list[forms.BoundField]:
        """Return the short fields, which stand beside the texts."""
        return [self[name] for name in ("domain", "marks", "language", "rating", "tags")]

    def clean_domain(self) -> Domain | None:
        """Return the domain."""
        chosen = self.cleaned_data["domain"]
        return Domain.objects.get(project=self.project, pk=chosen) if chosen else None

    def clean(self) -> dict[str, Any]:
        """Gather the options; an empty one between two others is refused, as it would move the letters."""
        values = super().clean() or {}
        names = [field.name for field in self.option_fields]
        given = [values.pop(name, "") for name in names]
        while given and not given[-1]:
            given.pop()
        for name, option in zip(names, given, strict=False):
            if not option:
                self.add_error(name, _("Write this option, or move the others up: the key names letters."))
        values["options"] = given
        return values


class ChangeForm(forms.Form):
    """One action on many questions, by their numbers or by the filters that find them."""

    ACTIONS = {
        "pin": gettext_lazy("Pin"),
        "ban": gettext_lazy("Ban"),
        "open": gettext_lazy("Leave open"),
        "tag": gettext_lazy("Tag"),
        "move": gettext_lazy("Move to a pool"),
        "domain": gettext_lazy("Put into a domain"),
        "rate": gettext_lazy("Rate the difficulty"),
    }
    AT_ONCE = ("pin", "ban", "open")  # these need no value

    action = forms.ChoiceField(choices=list(ACTIONS.items()), widget=forms.HiddenInput)
    question = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.MultipleHiddenInput)
    all = forms.BooleanField(required=False, widget=forms.HiddenInput)
    filters = forms.CharField(required=False, widget=forms.HiddenInput, max_length=4000)
    count = forms.IntegerField(required=False, widget=forms.HiddenInput)
    add = TagsField(label=gettext_lazy("Add tags"), required=False, max_length=3000)
    remove = TagsField(label=gettext_lazy("Take tags away"), required=False, max_length=3000)
    pool = forms.ModelChoiceField(
        label=gettext_lazy("Pool"), queryset=Pool.objects.none(), required=False, empty_label=None
    )
    domain = forms.ChoiceField(label=gettext_lazy("Domain"), required=False)
    rating = forms.TypedChoiceField(
        label=gettext_lazy("Difficulty, from 1 to 5"),
        choices=[("", gettext_lazy("not rated")), *_RATED],
        coerce=int,
        empty_value=None,
        required=False,
    )
    VALUES = {"tag": ("add", "remove"), "move": ("pool",), "domain": ("domain",), "rate": ("rating",)}

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.project = project
        self.fields["question"].valid_value = str.isdecimal  # type: ignore[attr-defined]
        self.fields["pool"].queryset = Pool.objects.filter(project=project)  # type: ignore[attr-defined]
        self.fields["domain"].choices = [("", _("none")), *_domain_choices(get_domain_tree(project))]  # type: ignore[attr-defined]

    @property
    def value_fields(self) -> list[forms.BoundField]:
        """Return the fields that the action needs."""
        return [self[name] for name in self.VALUES.get(self["action"].value(), ())]

    def clean_domain(self) -> Domain | None:
        """Return the domain."""
        chosen = self.cleaned_data["domain"]
        return Domain.objects.get(project=self.project, pk=chosen) if chosen else None

    def clean_question(self) -> list[int]:
        """Return the questions' numbers as far as there can be such."""
        return [number for number in self.cleaned_data["question"] if number < 2**63]

    @property
    def is_whole(self) -> bool:
        """Tell whether the action has the value that it needs; read it after `is_valid`."""
        action = self.cleaned_data["action"]
        if action == "tag":
            return bool(self.cleaned_data["add"] or self.cleaned_data["remove"])
        if action == "move":
            return self.cleaned_data["pool"] is not None
        return True


def read_keys(posted: Mapping[str, str]) -> dict[int, str]:
    """Return the keys that were typed into a list, by the number of their question."""
    found = {}
    for name, text in posted.items():
        number, _dash, field = name.partition("-")
        clean = neutralise(text.strip())[0]
        if field == "key" and number.isdecimal() and len(number) <= 18 and clean:
            found[int(number)] = clean
    return found
