"""Every address, as a stranger, as each role, and as a member of another project."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from common.access import RIGHTS, Right, Role
from common.models import Membership
from common.services import make_token
from curator.models import (
    Assistant,
    Benchmark,
    BenchmarkItem,
    Classification,
    Collection,
    Dataset,
    DatasetRow,
    Domain,
    DomainRule,
    Embedder,
    Grading,
    Import,
    Lookalike,
    Probe,
    QualityPattern,
    QuestionEdit,
    Selection,
    Solver,
    TraceImport,
    Trial,
)
from curator.services import desk, rubrics
from curator.services.queues import open_queue
from evaluation.models import Evaluation, Thought
from tests.api import Caller, operations
from training.core.recipe import as_dict, tiny_cpu
from training.models import Model, Run

SEE, MATERIAL, REVIEW, CURATE, SPEND, INVITE = (
    Right.SEE_RESULTS,
    Right.SEE_MATERIAL,
    Right.REVIEW,
    Right.CURATE,
    Right.SPEND,
    Right.INVITE,
)

# For each address of a project: the right that it asks for, the object that it names, and whether it
# is a page (GET) or an action (POST).
PAGES = {
    "project": (SEE, "project"),
    "project_settings": (INVITE, "project"),
    "tokens": (SEE, "project"),
    "token_revoke": (INVITE, "token"),
    "pools": (MATERIAL, "project"),
    "pool": (MATERIAL, "pool"),
    "upload_preview": (CURATE, "upload"),
    "import": (MATERIAL, "import"),
    "import_report": (MATERIAL, "import"),
    "import_workbook": (MATERIAL, "import"),
    "questions": (MATERIAL, "project"),
    "question": (MATERIAL, "question"),
    "question_edit": (CURATE, "question"),
    "taxonomy": (MATERIAL, "project"),
    "taxonomy_typed": (CURATE, "project"),
    "domain_new": (CURATE, "project"),
    "domain": (MATERIAL, "domain"),
    "domain_remove": (CURATE, "domain"),
    "classification_new": (CURATE, "project"),
    "classification": (MATERIAL, "classification"),
    "teachers": (MATERIAL, "project"),
    "teachers_compared": (MATERIAL, "project"),
    "teacher_new": (SPEND, "project"),
    "teacher_edit": (SPEND, "teacher"),
    "teacher": (MATERIAL, "teacher"),
    "teacher_try": (SPEND, "teacher"),
    "solver_try": (SPEND, "solver"),
    "assistant_try": (SPEND, "assistant"),
    "trial": (MATERIAL, "trial"),
    "solver_new": (SPEND, "project"),
    "solver_edit": (SPEND, "solver"),
    "solver": (MATERIAL, "solver"),
    "assistant_new": (SPEND, "project"),
    "assistant_edit": (SPEND, "assistant"),
    "assistant": (MATERIAL, "assistant"),
    "embedder_new": (SPEND, "project"),
    "embedder_edit": (SPEND, "embedder"),
    "embedder": (MATERIAL, "embedder"),
    "gradings": (MATERIAL, "project"),
    "grading": (MATERIAL, "grading"),
    "spot_check": (REVIEW, "grading"),
    "mark_check": (REVIEW, "project"),
    "collection": (MATERIAL, "collection"),
    "probe": (MATERIAL, "probe"),
    "trace": (MATERIAL, "trace"),
    "traces_import": (CURATE, "project"),
    "trace_upload": (CURATE, "trace_upload"),
    "trace_import": (MATERIAL, "trace_import"),
    "trace_import_report": (MATERIAL, "trace_import"),
    "selections": (MATERIAL, "project"),
    "selection": (MATERIAL, "selection"),
    "selection_try": (CURATE, "project"),
    "selection_why": (MATERIAL, "selection"),
    "selection_compared": (MATERIAL, "selection"),
    "selection_compare": (MATERIAL, "compared"),
    "selection_delete": (CURATE, "selection"),
    "patterns": (MATERIAL, "project"),
    "pattern_count": (CURATE, "project"),
    "pattern": (MATERIAL, "pattern"),
    "reviews": (MATERIAL, "project"),
    "review": (REVIEW, "selection"),
    "review_agreement": (MATERIAL, "selection"),
    "rubric": (MATERIAL, "project"),
    "queues": (MATERIAL, "project"),
    "queue": (MATERIAL, "queue"),
    "queue_delete": (CURATE, "queue"),
    "queue_desk": (REVIEW, "queue"),
    "trace_step": (MATERIAL, "step"),
    "trace_signals": (MATERIAL, "trace"),
    "beside": (MATERIAL, "question"),
    "trace_rewrite": (REVIEW, "trace"),
    "trace_edits": (MATERIAL, "trace"),
    "datasets": (MATERIAL, "project"),
    "dataset": (MATERIAL, "dataset"),
    "dataset_download": (MATERIAL, "download"),
    "dataset_compared": (MATERIAL, "dataset"),
    "dataset_compare": (MATERIAL, "versions"),
    "benchmarks": (SEE, "project"),
    "benchmark_preview": (CURATE, "kept"),
    "benchmark": (SEE, "benchmark"),
    "leaks": (MATERIAL, "project"),
    "copies": (MATERIAL, "project"),
    "copy_cluster": (MATERIAL, "question"),
    "lookalikes": (MATERIAL, "project"),
    "runs": (SEE, "project"),
    "models": (SEE, "project"),
    "run": (SEE, "run"),
    "run_new": (SPEND, "dataset"),
    "run_rows": (SPEND, "dataset"),
    "results": (SEE, "project"),
    "evaluation_new": (SPEND, "project"),
    "evaluation": (SEE, "evaluation"),
    "evaluation_item": (MATERIAL, "item"),
}
ACTIONS = {
    "upload": (CURATE, "pool"),
    "upload_drop": (CURATE, "upload"),
    "benchmark_drop": (CURATE, "kept"),
    "trace_upload_drop": (CURATE, "trace_upload"),
    "trace_import_cancel": (CURATE, "trace_import"),
    "trace_import_retry": (CURATE, "trace_import"),
    "rule_add": (CURATE, "domain"),
    "domain_questions": (CURATE, "domain"),
    "rule_remove": (CURATE, "rule"),
    "classification_cancel": (CURATE, "classification"),
    "classification_pause": (CURATE, "classification"),
    "classification_retry": (CURATE, "classification"),
    "member_add": (INVITE, "project"),
    "member_role": (INVITE, "member"),
    "member_remove": (INVITE, "member"),
    "import_cancel": (CURATE, "import"),
    "import_retry": (CURATE, "import"),
    "import_undo": (CURATE, "import"),
    "question_key": (CURATE, "question"),
    "questions_change": (CURATE, "project"),
    "questions_undo": (CURATE, "project"),
    "questions_keys": (CURATE, "project"),
    "edit_revert": (CURATE, "edit"),
    "leaks_overrule": (CURATE, "project"),
    "leaks_restore": (CURATE, "project"),
    "leaks_search": (CURATE, "project"),
    "copies_cancel": (CURATE, "project"),
    "copies_retry": (CURATE, "project"),
    "copy_ruling": (CURATE, "question"),
    "copy_cluster_part": (CURATE, "question"),
    "lookalike_ruling": (CURATE, "lookalike"),
    "question_doubts": (CURATE, "question"),
    "question_standing": (CURATE, "question"),
    "collection_cancel": (SPEND, "collection"),
    "collection_pause": (SPEND, "collection"),
    "collection_retry": (SPEND, "collection"),
    "teacher_remove": (SPEND, "teacher"),
    "solver_remove": (SPEND, "solver"),
    "assistant_remove": (SPEND, "assistant"),
    "embedder_remove": (SPEND, "embedder"),
    "grading_cancel": (SPEND, "grading"),
    "grading_pause": (SPEND, "grading"),
    "grading_retry": (SPEND, "grading"),
    "spot_check_undo": (REVIEW, "grading"),
    "mark_check_undo": (REVIEW, "project"),
    "trace_verdict": (REVIEW, "trace"),
    "trial_cancel": (SPEND, "trial"),
    "trial_retry": (SPEND, "trial"),
    "probe_cancel": (SPEND, "probe"),
    "probe_pause": (SPEND, "probe"),
    "probe_retry": (SPEND, "probe"),
    "adjudicate": (CURATE, "trace"),
    "trace_take": (REVIEW, "trace"),
    "trace_release": (REVIEW, "question"),
    "selection_keep": (CURATE, "project"),
    "selection_cancel": (CURATE, "selection"),
    "selection_retry": (CURATE, "selection"),
    "selection_arms": (CURATE, "selection"),
    "selection_freeze": (CURATE, "selection"),
    "dataset_current": (CURATE, "dataset"),
    "dataset_current_undo": (CURATE, "project"),
    "dataset_branch": (CURATE, "dataset"),
    "review_undo": (REVIEW, "selection"),
    "review_best": (REVIEW, "selection"),
    "trace_draft": (REVIEW, "trace"),
    "trace_remark": (REVIEW, "trace"),
    "remark_erase": (REVIEW, "remark"),
    "trace_flag": (REVIEW, "trace"),
    "flag_settle": (REVIEW, "flag"),
    "queue_settings": (CURATE, "queue"),
    "queue_close": (CURATE, "queue"),
    "queue_take_in": (CURATE, "queue"),
    "queue_assign": (CURATE, "queue"),
    "queue_warm_up": (CURATE, "queue"),
    "queue_undo": (REVIEW, "queue"),
    "queue_best": (REVIEW, "queue"),
    "queue_skip": (REVIEW, "queue"),
    "queue_hold": (REVIEW, "queue_item"),
    "reason_retire": (CURATE, "reason"),
    "scale_retire": (CURATE, "scale"),
    "run_cancel": (SPEND, "run"),
    "run_retry": (SPEND, "run"),
    "evaluation_cancel": (SPEND, "evaluation"),
    "evaluation_retry": (SPEND, "evaluation"),
}
# Addresses that belong to no project: anyone's own, or the sign-in library's.
OF_NOBODY = {"home", "project_new", "set_language", "api_docs", "api_openapi", "api_nowhere"}
# For each operation of the HTTP API: the right that it asks for, the object that it names, and a body.
OPERATIONS = {
    "token": (SEE, None, None),
    "project": (SEE, "project", None),
    "questions": (MATERIAL, "project", None),
    "question": (MATERIAL, "question", None),
    "question_correct": (CURATE, "question", {"seen": "?"}),
    "questions_stand": (CURATE, "project", {"questions": [1], "standing": "open"}),
    "questions_tag": (CURATE, "project", {"questions": [1]}),
    "traces": (MATERIAL, "project", None),
    "trace": (MATERIAL, "trace", None),
    "reviews": (MATERIAL, "project", None),
    "review_put": (REVIEW, "trace", {"judgement": "accept", "seen": 0, "is_scripted": True}),
    "review_undo": (REVIEW, "selection", None),
    "adjudicate": (CURATE, "trace", {"judgement": "accept"}),
    "selections": (MATERIAL, "project", None),
    "selection": (MATERIAL, "selection", None),
    "selection_members": (MATERIAL, "selection", None),
    "selection_freeze": (CURATE, "selection", {}),
    "datasets": (MATERIAL, "project", None),
    "dataset": (MATERIAL, "dataset", None),
    "dataset_rows": (MATERIAL, "dataset", None),
    "dataset_download": (MATERIAL, "dataset", None),
    "dataset_current": (CURATE, "dataset", None),
    "runs": (SEE, "project", None),
    "run": (SEE, "run", None),
    "run_stop": (SPEND, "run", None),
    "evaluations": (SEE, "project", None),
    "evaluation": (SEE, "evaluation", None),
    "evaluation_stop": (SPEND, "evaluation", None),
}


def addresses(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name not in ("admin", "api"):
                yield from addresses(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and not (pattern.name or "").startswith("account_"):
            yield pattern.name


def test_every_address_stands_in_a_table():
    names = set(addresses(get_resolver().url_patterns))

    assert names == PAGES.keys() | ACTIONS.keys() | OF_NOBODY


def measured(project, item):
    """Return a selection, a dataset that was frozen from it, and an evaluation of a model on an item."""
    selection = Selection.objects.create(project=project, name="s", method={}, method_name="random", size=1)
    dataset = Dataset.objects.create(
        project=project, selection=selection, name="d", content_hash="c" * 64, row_count=1
    )
    content = {"question": "1+1?", "options": [], "thinking": "1", "answer": "2", "language": "en"}
    DatasetRow.objects.create(dataset=dataset, position=0, question_hash="q", trace_hash="t", content=content)
    model = Model.objects.create(project=project, name="m", kind="base", location="m", markup="bare")
    evaluation = Evaluation.objects.create(
        project=project,
        model=model,
        benchmark=item.benchmark,
        policies=[{"label": "16", "max_tokens": 16, "extensions": 0}],
    )
    Thought.objects.create(evaluation=evaluation, item=item)
    return selection, dataset, evaluation


def reviewed(project, trace, author):
    """Return one of each object that stands around a reviewer's word on a trace, by its name."""
    queue = open_queue(project=project, name="q", by=None)
    return {
        "remark": desk.remark(trace=trace, author=author, part="answer", start=0, end=1, text="?"),
        "flag": desk.flag(trace=trace, by=author),
        "reason": rubrics.reasons_of(project)[0],
        "scale": rubrics.add_scale(project=project, name="Clarity"),
        "queue": queue,
        "queue_item": queue,
    }


def asked(project, teacher):
    """Return one of each model that a project asks, and one of each order to it, by its name."""
    solver = Solver.objects.create(project=project, name="solver")
    assistant = Assistant.objects.create(project=project, name="assistant")
    return {
        "teacher": teacher,
        "solver": solver,
        "assistant": assistant,
        "embedder": Embedder.objects.create(project=project, name="embedder"),
        "grading": Grading.objects.create(project=project, assistant=assistant),
        "collection": Collection.objects.create(project=project, teacher=teacher),
        "probe": Probe.objects.create(project=project, solver=solver),
        "trial": Trial.objects.create(project=project, teacher=teacher, name="t", question="1+1?"),
    }


@pytest.fixture
def loop(make_project, make_pool, make_question, make_teacher, make_trace, make_user):
    """Return one of each object of a project, by its name."""
    project = make_project()
    pool = make_pool(project)
    question = make_question(pool)
    domain = Domain.objects.create(project=project, code="A", name="Assets")
    teacher = make_teacher(project)
    benchmark = Benchmark.objects.create(project=project, name="paper", file_name="f", content_hash="b")
    item = BenchmarkItem.objects.create(
        benchmark=benchmark, position=0, content_hash="i", text="1+1?", key="2", language="en"
    )
    selection, dataset, evaluation = measured(project, item)
    trace, author = make_trace(question, teacher), make_user()
    member = Membership.objects.create(project=project, user=make_user(), role=Role.VIEWER)
    return {
        **reviewed(project, trace, author),
        **asked(project, teacher),
        "project": project,
        "pool": pool,
        "upload": pool,
        "import": Import.objects.create(pool=pool, file_name="f.csv", file_hash="h"),
        "question": question,
        "domain": domain,
        "lookalike": Lookalike.objects.create(question=question, other=make_question(pool), likeness=0.9),
        "edit": QuestionEdit.objects.create(question=question, field="key", before="1", after="2"),
        "rule": DomainRule.objects.create(domain=domain, words="tax"),
        "classification": Classification.objects.create(project=project, way="rules"),
        "trace": trace,
        "step": trace,
        "trace_upload": project,
        "kept": project,
        "trace_import": TraceImport.objects.create(project=project, file_name="t.jsonl", file_hash="h"),
        "selection": selection,
        "compared": selection,
        "pattern": QualityPattern.objects.create(
            project=project, name="annex", place="question", expression="annex", reason="It needs an annex."
        ),
        "dataset": dataset,
        "download": dataset,
        "versions": dataset,
        "benchmark": benchmark,
        "run": Run.objects.create(
            project=project,
            dataset=dataset,
            name="r",
            base="m",
            recipe=as_dict(tiny_cpu()),
            recipe_name="tiny-cpu",
        ),
        "evaluation": evaluation,
        "item": evaluation,
        "member": member,
        "token": make_token(membership=member, name="t", scope="read")[0],
    }


def address(name, kind, loop):
    if kind == "project":
        return reverse(name, args=[loop["project"].slug])
    if kind in ("trace_upload", "kept"):
        return reverse(name, args=[loop["project"].slug, "no-such-upload"])
    if kind in ("member", "token"):
        return reverse(name, args=[loop["project"].slug, loop[kind].pk])
    more = {"upload": ["no-such-upload"], "download": ["jsonl"], "item": [0], "step": [1]}
    more |= {"compared": [loop["compared"].pk], "versions": [loop["dataset"].pk]}
    if kind == "queue_item":
        more[kind] = [loop["queue"].items.first().pk]
    more = more.get(kind, [])
    return reverse(name, args=[loop[kind].pk, *more])


def answers(client, loop):
    """Return the status of every page and action for whoever is signed in."""
    pages = {
        name: client.get(address(name, kind, loop)).status_code for name, (_right, kind) in PAGES.items()
    }
    acts = {
        name: client.post(address(name, kind, loop)).status_code for name, (_right, kind) in ACTIONS.items()
    }
    return pages | acts


def test_a_stranger_is_sent_to_sign_in(client, loop):
    sign_in = reverse("account_login")

    for name, (_right, kind) in (PAGES | ACTIONS).items():
        response = client.get(address(name, kind, loop))

        assert response.status_code == 302, name
        assert response.url.startswith(sign_in), name


def test_a_member_of_another_project_finds_nothing(client, loop, make_project, make_user):
    outsider = make_user()
    make_project(owner=outsider)
    client.force_login(outsider)

    found = {name: status for name, status in answers(client, loop).items() if status != 404}

    assert found == {}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reaches_what_its_rights_allow_and_no_more(client, loop, make_member, role):
    client.force_login(make_member(loop["project"], role))

    statuses = answers(client, loop)

    refused = {name for name, status in statuses.items() if status in (403, 404)} - {"upload_preview"}
    wanted = {name for name, (right, _kind) in (PAGES | ACTIONS).items() if right not in RIGHTS[role]}
    assert refused == wanted - {"upload_preview"}
    assert {name: status for name, status in statuses.items() if status >= 405} == {}


def test_an_upload_that_is_not_there_is_not_found(client, loop, make_member):
    client.force_login(make_member(loop["project"], Role.CURATOR))

    response = client.get(address("upload_preview", "upload", loop))

    assert response.status_code in (302, 404)


# --- the HTTP API ---


def called(caller, loop):
    """Return the status of every operation of the API for whoever holds the token."""
    statuses = {}
    for name, (_right, kind, body) in OPERATIONS.items():
        found = loop[kind] if kind else None
        named = {"slug": found.slug} if kind == "project" else {"number": found.pk} if kind else {}
        statuses[name] = caller.call(name, body=body, **named).status_code
    return statuses


def test_every_operation_stands_in_the_table():
    assert operations().keys() == OPERATIONS.keys()


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_without_a_token_no_operation_answers_not_even_to_a_signed_in_browser(
    client, loop, make_member, is_signed_in
):
    if is_signed_in:
        client.force_login(make_member(loop["project"], Role.OWNER))

    statuses = called(Caller(client, secret=None), loop)

    assert set(statuses.values()) == {401}


def test_a_token_of_another_project_finds_nothing_though_its_member_is_in_both(
    client, loop, make_member, make_project
):
    person = make_member(loop["project"], Role.OWNER)
    own = Membership.objects.get(project=make_project(owner=person), user=person)
    _token, secret = make_token(membership=own, name="t", scope="write")

    statuses = called(Caller(client, secret), loop)

    assert statuses.pop("token") == 200
    assert set(statuses.values()) == {404}


@pytest.mark.parametrize("role", list(Role))
def test_a_token_reaches_what_its_members_role_allows_and_no_more(client, loop, make_member, role):
    member = Membership.objects.get(user=make_member(loop["project"], role))
    _token, secret = make_token(membership=member, name="t", scope="write")

    statuses = called(Caller(client, secret), loop)

    refused = {name for name, status in statuses.items() if status in (403, 404)}
    assert refused == {
        name for name, (right, _kind, _body) in OPERATIONS.items() if right not in RIGHTS[role]
    }
    assert set(statuses.values()) <= {200, 403, 404, 409, 422}


def test_a_token_that_may_only_read_changes_nothing(client, loop, make_member):
    member = Membership.objects.get(user=make_member(loop["project"], Role.OWNER))
    _token, secret = make_token(membership=member, name="t", scope="read")

    statuses = called(Caller(client, secret), loop)

    writing = {name for name, (method, _address) in operations().items() if method != "get"}
    assert {name for name, status in statuses.items() if status == 403} == writing
    assert {status for name, status in statuses.items() if name not in writing} == {200}
