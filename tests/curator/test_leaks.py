"""What benchmarks and pools share: kept out, overruled with a reason, restored, and shown side by side."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from common.access import Role
from common.core.refusal import Refusal
from curator.models import Benchmark, BenchmarkItem, Leak, QuestionEdit
from curator.queries.edits import get_changes
from curator.services import benchmarks, leaks, selections

LONG = (
    "A train leaves the northern station at nine and travels for three hours at sixty miles an hour; how far?"
)
WILL = "甲立公证遗嘱，写明死后其全部遗产归长子乙，后来又亲笔书写一份遗嘱归次子丙。"


@pytest.fixture
def shared(make_pool, make_question, tmp_path):
    """Return a project in which two questions are in a benchmark."""

    class Shared:
        def __init__(self):
            self.pool = make_pool()
            self.project = self.pool.project
            self.train = make_question(self.pool, text="Read this. " + LONG)
            self.will = make_question(self.pool, text=WILL, language="zh")
            self.other = make_question(self.pool)
            self.report = self.hold_out("paper", [LONG, WILL])

        def hold_out(self, name, texts, **options):
            path = tmp_path / f"{name}.json"
            path.write_text(
                json.dumps([{"question": text, "answer": "1"} for text in texts]), encoding="utf-8"
            )
            return benchmarks.import_benchmark(project=self.project, path=path, name=name, **options)

        def overrule(self, **options):
            given = {"leaks": [leak.pk for leak in Leak.objects.all()], "why": "old exam", "by": None}
            return leaks.overrule(project=self.project, now=timezone.now(), **{**given, **options})

    return Shared()


def test_each_hit_says_how_it_was_found_and_how_like_both_are(shared):
    found = {leak.question: (leak.kind, leak.likeness) for leak in Leak.objects.all()}

    assert found[shared.will] == ("whole", 1)
    assert found[shared.train][0] == "runs"
    assert 0.25 <= found[shared.train][1] <= 1
    assert shared.other not in found


def test_an_overruled_hit_stays_in_the_record_with_who_when_and_why(shared, make_user):
    by = make_user()

    assert shared.overrule(by=by) == 2

    leak = Leak.objects.get(question=shared.train)
    assert (leak.overruled_by, leak.overruled_why) == (by, "old exam")
    assert leak.overruled_at is not None


@pytest.mark.parametrize("why", ["", "  \n"])
def test_no_hit_is_overruled_without_a_reason(shared, why):
    with pytest.raises(Refusal, match="Say why"):
        shared.overrule(why=why)

    assert not Leak.objects.filter(overruled_at__isnull=False).exists()


def test_the_database_refuses_to_overrule_without_a_reason(shared):
    with pytest.raises(IntegrityError), transaction.atomic():
        Leak.objects.update(overruled_at=timezone.now())


def test_naming_no_hit_is_refused(shared, make_project):
    with pytest.raises(Refusal, match="No overlap was chosen"):
        shared.overrule(leaks=[])
    with pytest.raises(Refusal, match="No overlap was chosen"):
        leaks.restore(project=shared.project, leaks=[leak.pk for leak in Leak.objects.all()], by=None)


def test_hits_of_another_project_cannot_be_overruled(shared, make_project):
    with pytest.raises(Refusal, match="No overlap was chosen"):
        leaks.overrule(
            project=make_project(),
            leaks=[leak.pk for leak in Leak.objects.all()],
            why="x",
            by=None,
            now=timezone.now(),
        )


def test_a_new_search_keeps_what_was_overruled(shared):
    shared.overrule()

    assert leaks.find_again(project=shared.project) == 2
    assert leaks.find_for_benchmark(shared.report.benchmark) == 2

    assert Leak.objects.filter(overruled_why="old exam").count() == 2


def test_a_new_search_drops_what_is_no_hit_any_more(shared):
    shared.train.text = "How many moons has Mars?"
    shared.train.save()

    assert leaks.find_again(project=shared.project) == 1
    assert [leak.question for leak in Leak.objects.all()] == [shared.will]


def test_an_edited_question_is_held_against_benchmarks_again(shared):
    shared.other.text = "Once more: " + LONG
    shared.other.save()
    shared.train.text = "How many moons has Mars?"
    shared.train.save()

    leaks.find_for_questions(questions=[shared.other, shared.train])

    assert {leak.question for leak in Leak.objects.all()} == {shared.will, shared.other}


def test_what_is_restored_is_kept_out_again(shared):
    shared.overrule()

    assert leaks.restore(project=shared.project, leaks=[leak.pk for leak in Leak.objects.all()], by=None) == 2

    leak = Leak.objects.first()
    assert (leak.overruled_at, leak.overruled_by, leak.overruled_why) == (None, None, "")
    first, second = QuestionEdit.objects.filter(question=leak.question, field="overruled").order_by("pk")
    assert first.before == second.after == ""
    assert first.after == second.before
    assert first.after.startswith(f"{leak.item.benchmark.name} #{leak.item.number}: ")
    assert [change.label for change in get_changes(leak.question)] == ["overruled overlap"] * 2


def test_overruling_one_benchmarks_hit_leaves_the_others(shared):
    second = shared.hold_out("retake", [LONG])
    shared.overrule(
        leaks=[Leak.objects.get(question=shared.train, item__benchmark=shared.report.benchmark).pk]
    )

    standing = Leak.objects.filter(question=shared.train, overruled_at__isnull=True)

    assert [leak.item.benchmark for leak in standing] == [second.benchmark]


def test_the_page_shows_both_texts_with_the_shared_passage_marked(client, shared, make_member):
    client.force_login(make_member(shared.project, Role.REVIEWER))

    page = client.get(reverse("leaks", args=[shared.project.slug])).text

    assert f"<mark>{LONG}</mark>" in page
    assert f"<mark>{WILL}</mark>" in page
    assert 'name="leak"' not in page  # a reviewer reads only


def test_a_leaks_reason_names_the_item_and_leads_to_it(client, shared, make_trace, make_member):
    make_trace(shared.other)
    job = selections.start_selection(project=shared.project, method="all", size=9, by=None)
    selections.run_selection(job=job)
    second = BenchmarkItem.objects.get(position=1)
    client.force_login(make_member(shared.project, Role.CURATOR))
    pages = {
        "question": client.get(shared.will.get_absolute_url()),
        "why": client.get(reverse("selection_why", args=[job.pk]), {"question": f"#{shared.will.pk}"}),
        "try": client.get(
            reverse("selection_try", args=[shared.project.slug]), {"question": f"#{shared.will.pk}"}
        ),
        "left out": client.get(job.get_absolute_url(), {"stage": "leak"}),
    }

    said = {name: page.text for name, page in pages.items()}

    for name, text in said.items():
        assert "It shares a passage with item 2 of the benchmark paper." in text, name
        assert f'href="{second.get_absolute_url()}"' in text, name
    (reason,) = (it for it in pages["left out"].context["reasons"] if it.stage == "leak")
    assert (reason.reason, reason.questions) == ("It shares a passage with the benchmark paper.", 2)


def test_a_reason_links_no_item_once_the_overlap_is_gone(client, shared, make_trace, make_member):
    make_trace(shared.other)
    job = selections.start_selection(project=shared.project, method="all", size=9, by=None)
    selections.run_selection(job=job)
    Leak.objects.all().delete()
    client.force_login(make_member(shared.project, Role.CURATOR))

    page = client.get(shared.will.get_absolute_url()).text

    assert "item 2 of the benchmark paper" in page
    assert "?item=2" not in page


def test_the_reason_names_the_first_item_of_the_first_benchmark(shared, make_trace):
    make_trace(shared.other)
    shared.hold_out("a retake", ["How many moons has Mars?", WILL, LONG])
    job = selections.start_selection(project=shared.project, method="all", size=9, by=None)

    selections.run_selection(job=job)

    assert job.decisions.get(question=shared.will).reason == (
        "It shares a passage with item 2 of the benchmark a retake."
    )
    assert job.decisions.get(question=shared.train).reason.startswith(
        "It shares a passage with item 3 of the benchmark a retake"
    )


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({"item": "51"}, 2),
        ({"item": "50"}, 1),
        ({"item": "51", "page": "1"}, 1),
        ({"item": "x"}, 1),
        ({"item": "0"}, 1),
    ],
)
def test_a_benchmarks_page_opens_where_an_item_stands(client, shared, make_member, query, page):
    report = shared.hold_out("long", [f"How much is {number} and 1?" for number in range(60)])
    client.force_login(make_member(shared.project, Role.CURATOR))

    shown = client.get(report.benchmark.get_absolute_url(), query)

    assert shown.context["page"].number == page
    assert ('id="item-51"' in shown.text) == (page == 2)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("kind=whole", 1),
        ("kind=fuzzy", 0),
        ("standing=overruled", 1),
        ("standing=kept", 1),
        ("kind=nonsense", 2),
    ],
)
def test_the_list_is_filtered(client, shared, make_member, query, count):
    shared.overrule(leaks=[Leak.objects.get(question=shared.will).pk])
    client.force_login(make_member(shared.project, Role.CURATOR))

    page = client.get(reverse("leaks", args=[shared.project.slug]) + f"?{query}")

    assert len(page.context["rows"]) == count


def test_a_page_of_hits_is_overruled_and_restored_at_once(client, shared, make_member):
    curator = make_member(shared.project, Role.CURATOR)
    client.force_login(curator)
    marked = [leak.pk for leak in Leak.objects.all()]
    given = {"leak": marked, "why": "an old paper", "query": "kind=runs"}

    response = client.post(reverse("leaks_overrule", args=[shared.project.slug]), given)

    assert response.url == reverse("leaks", args=[shared.project.slug]) + "?kind=runs"
    assert Leak.objects.filter(overruled_by=curator, overruled_why="an old paper").count() == 2
    client.post(reverse("leaks_restore", args=[shared.project.slug]), {"leak": marked[:1]})
    assert Leak.objects.filter(overruled_at__isnull=False).count() == 1


@pytest.mark.parametrize(
    "given", [{"why": "x"}, {"leak": ["x", "-1", "9" * 30], "why": "x"}, {"leak": ["1"]}]
)
def test_a_form_that_names_nothing_or_no_reason_changes_nothing(client, shared, make_member, given):
    client.force_login(make_member(shared.project, Role.CURATOR))

    response = client.post(reverse("leaks_overrule", args=[shared.project.slug]), given, follow=True)

    assert "message error" in response.text or "No overlap" in response.text or "Say why" in response.text
    assert not Leak.objects.filter(overruled_at__isnull=False).exists()


def test_the_page_searches_again(client, shared, make_member):
    Leak.objects.all().delete()
    client.force_login(make_member(shared.project, Role.CURATOR))

    client.post(reverse("leaks_search", args=[shared.project.slug]))

    assert Leak.objects.count() == 2


def test_an_exam_is_held_out_though_its_items_have_no_keys(make_pool, make_question, tmp_path):
    pool = make_pool()
    make_question(pool, text=LONG)
    path = tmp_path / "exam.csv"
    path.write_text(f'question\n"{LONG}"\n', encoding="utf-8")

    report = benchmarks.import_benchmark(project=pool.project, path=path, name="mock", is_exam=True)

    assert (report.items, report.leaks) == (1, 1)
    assert BenchmarkItem.objects.get().key == ""
    assert Benchmark.objects.get().is_exam


def test_no_model_is_measured_on_an_exam(make_project):
    from evaluation.forms import EvaluationForm
    from evaluation.services import start_evaluation
    from training.models import Model

    project = make_project()
    exam = Benchmark.objects.create(
        project=project, name="mock", file_name="f", content_hash="h", is_exam=True
    )
    BenchmarkItem.objects.create(
        benchmark=exam, position=0, content_hash="i", text="?", key="", language="en"
    )
    model = Model.objects.create(project=project, name="m", kind="base", location="m", markup="bare")

    with pytest.raises(Refusal, match="mock is held out only"):
        start_evaluation(model=model, benchmark=exam, policies=[{"label": "16", "max_tokens": 16}], by=None)

    assert exam not in EvaluationForm(project=project).fields["benchmark"].queryset
