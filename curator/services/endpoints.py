"""The models of a project: how each is reached, what it costs, and its key."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.encryption import KeyUnreadable, encrypt, encrypted_anew
from common.endpoints import check_address, check_extra_body
from common.models import Project
from curator.core.presets import PRESETS, fields_of, preset_of
from curator.models import Assistant, Embedder, Endpoint, Solver, Teacher, Trial

# What an answer costs at most follows from its length, so that nothing else may set that.
_LENGTHS = frozenset({"max_tokens", "max_completion_tokens"})
_LONGEST_EXTRA_BODY = 10_000
_DECIDES_REFUSALS = ("base_url", "model", "extra_body")  # what they are decides what the endpoint takes


def create_teacher(*, project: Project, name: str, key: str = "", **fields: Any) -> Teacher:
    """Make a teacher known; as `create_endpoint`."""
    teacher: Teacher = create_endpoint(kind=Teacher, project=project, name=name, key=key, **fields)
    return teacher


def create_solver(*, project: Project, name: str, key: str = "", **fields: Any) -> Solver:
    """Make a solver known; as `create_endpoint`."""
    solver: Solver = create_endpoint(kind=Solver, project=project, name=name, key=key, **fields)
    return solver


def create_endpoint(
    *, kind: type[Endpoint], project: Project, name: str, key: str = "", **fields: Any
) -> Any:
    """Make a model known to a project; its key is encrypted and never shown again.

    Raises:
        Refusal: the address may not be called, a value is out of range, or the name is taken.
    """
    made: Any = kind(name=name, encrypted_key=encrypt(key), **fields)
    made.project = project
    return _saved(made, fields, force_insert=True)


def named_endpoint(*, kind: type[Endpoint], project: Project, name: str) -> Any:
    """Return a project's model of a kind by its name.

    Raises:
        Refusal: there is none; it names those that there are.
    """
    rows = kind._default_manager.filter(**{kind.project_path: project})
    found = rows.filter(name=name).first()
    if found is None:
        known = ", ".join(rows.values_list("name", flat=True)) or _("none")
        word = kind._meta.verbose_name
        raise Refusal(
            _("The project has no %(kind)s “%(name)s” (there is: %(known)s); add it on the teachers page.")
            % {"kind": word, "name": name, "known": known}
        )
    return found


def change_endpoint(*, endpoint: Endpoint, key: str = "", forget_key: bool = False, **fields: Any) -> None:
    """Change how a model is reached and what it costs; without a new key it keeps the one that it has.

    A key goes to no address but the one that it was entered for: another address forgets it.

    Raises:
        Refusal: as `create_endpoint`; or it has worked already and would become another model.
    """
    with transaction.atomic():
        kept = type(endpoint)._default_manager.select_for_update().get(pk=endpoint.pk)
        if kept.model and fields.get("model", kept.model) != kept.model and is_used(kept):
            raise Refusal(
                _("What %(name)s wrote is kept as the work of %(model)s; enter the other model as a new one.")
                % {"name": kept.name, "model": kept.model}
            )
        if key or forget_key or fields.get("base_url", kept.base_url) != kept.base_url:
            kept.encrypted_key = encrypt(key)
        if any(field in fields and fields[field] != getattr(kept, field) for field in _DECIDES_REFUSALS):
            kept.refused = []
        for field, value in fields.items():
            setattr(kept, field, value)
        _saved(kept, fields)
    endpoint.refresh_from_db()


def create_from_preset(
    *,
    kind: type[Endpoint],
    project: Project,
    preset: str,
    model: str,
    name: str,
    key: str = "",
    **fields: Any,
) -> Any:
    """Make a model of a known provider known; what `fields` name goes before what the preset fills in.

    Raises:
        Refusal: as `create_endpoint`; or there is no such preset, or nobody says what the model costs.
    """
    known = preset_of(preset)
    if known is None:
        raise Refusal(
            _("There is no preset “%(preset)s”; there are: %(known)s.")
            % {"preset": preset, "known": ", ".join(each.key for each in PRESETS)}
        )
    given = {**fields_of(known, model), **fields}
    if given["price_in_usd"] is None or given["price_out_usd"] is None:
        raise Refusal(
            _("What %(model)s costs at %(provider)s is not known here; give its price per million tokens.")
            % {"model": given["model"], "provider": known.name}
        )
    return create_endpoint(kind=kind, project=project, name=name, key=key, **given)


def _check_extra_body(given: Any) -> None:
    """Refuse what is no set of further fields, or would undo what an order is estimated and limited by."""
    check_extra_body(given)
    if ours := sorted(_LENGTHS & given.keys()):
        raise Refusal(
            _(
                "%(name)s cannot stand among the further fields of a request; enter the most tokens per answer."
            )
            % {"name": ours[0]}
        )
    if len(json.dumps(given)) > _LONGEST_EXTRA_BODY:
        raise Refusal(
            _("The further fields of a request are longer than %(limit)s characters; shorten them.")
            % {"limit": _LONGEST_EXTRA_BODY}
        )


def _saved(endpoint: Any, fields: dict[str, Any], *, force_insert: bool = False) -> Any:
    if endpoint.base_url and "base_url" in fields:
        check_address(endpoint.base_url)
    _check_extra_body(endpoint.extra_body)
    checked(endpoint, "name", *(field for field in fields if field != "base_url"))
    try:
        with transaction.atomic():
            endpoint.save(force_insert=force_insert)
            return endpoint
    except IntegrityError as error:
        raise Refusal(
            _("There is one named %(name)s already; choose another name.") % {"name": endpoint.name}
        ) from error


@dataclass(frozen=True)
class Rotation:
    """How many keys are kept, how many are now under the installation's first key, and whose cannot be read."""

    kept: int
    rotated: int
    unreadable: tuple[str, ...]


def rotate_keys() -> Rotation:
    """Encrypt every kept key anew with the installation's first key, so that the others can be taken away.

    A key that none of the installation's keys opens stays as it is, and is named.
    """
    kept, unreadable = 0, []
    with transaction.atomic():
        for kind in (Teacher, Solver, Assistant, Embedder):
            for endpoint in kind.objects.select_for_update(of=("self",)).select_related("project"):
                if not endpoint.encrypted_key:
                    continue
                kept += 1
                try:
                    token = encrypted_anew(bytes(endpoint.encrypted_key))
                except KeyUnreadable:
                    unreadable.append(f"{kind._meta.verbose_name} {endpoint.project.slug}/{endpoint.name}")
                else:
                    kind.objects.filter(pk=endpoint.pk).update(encrypted_key=token)
    return Rotation(kept, kept - len(unreadable), tuple(unreadable))


def is_used(endpoint: Endpoint) -> bool:
    """Tell whether anything names a model: an order, an answer, a vector; a trial keeps its own account."""
    relations = [
        field
        for field in endpoint._meta.get_fields(include_hidden=True)
        if field.auto_created
        and not field.concrete
        and field.is_relation
        and field.related_model is not Trial
    ]
    return any(
        field.related_model._default_manager.filter(**{field.field.name: endpoint}).exists()  # type: ignore[union-attr]
        for field in relations
    )


@transaction.atomic
def remove_endpoint(*, endpoint: Endpoint) -> None:
    """Forget a model that nothing names.

    Raises:
        Refusal: something does; what it wrote and what was spent on it are kept.
    """
    kept = type(endpoint)._default_manager.select_for_update().get(pk=endpoint.pk)
    if is_used(kept):
        raise Refusal(
            _("%(name)s has been asked or has traces, which are kept; it cannot be removed.")
            % {"name": kept.name}
        )
    kept.delete()
