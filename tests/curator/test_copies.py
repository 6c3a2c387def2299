"""Near copies: which texts are alike, which one is kept, and what a person says about it."""

import gzip
import hashlib
import json
import random

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from common.access import Role
from common.core.refusal import Refusal
from common.jobs import Cancelled, JobState
from curator.core import copies as core
from curator.core.copies import Merit, clusters, compared, figures_differ, keys_differ, likeness
from curator.models import (
    CopyRuling,
    CopySearch,
    Embedder,
    Embedding,
    Lookalike,
    NearCopy,
    Question,
    QuestionEdit,
)
from curator.services import copies as services
from curator.services import questions

TRAIN = (
    "A train leaves the northern station at nine and travels for {} hours at sixty miles an hour "
    "without a stop; how far does it go?"
)
WILL = (
    "甲立公证遗嘱，写明死后其全部遗产归长子乙，后来又亲笔书写一份遗嘱归次子丙，甲死亡后，其遗产应当由谁继承？"
)
PASSAGE = (
    "The company reports three kinds of assets, and the auditors have looked at each of them in turn. "
    "Cash and receivables are held at their nominal value, while commissions are carried at what they may bring in, "
    "and everything else is written down year by year until nothing is left of it in the books of the company. "
)
TEXTS = [
    TRAIN.format("three"),
    TRAIN.format("three").replace("northern", "southern"),
    TRAIN.format("three").replace("without a stop", "without any stop"),
    TRAIN.format("four"),
    WILL,
    WILL.replace("全部", "所有"),
    "Which of these is a prime number?",
    "Compute 2+3.",
    "Compute 2-3.",
]


def found_in(texts, threshold=0.8):
    by_id = {number: compared(text) for number, text in enumerate(texts)}
    pairs = core.near_pairs(
        by_id.items(), lambda ids: {each: by_id[each] for each in ids}, threshold=threshold
    )
    return {
        frozenset((left, right))
        for left, right in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRAIN.format("three"), TRAIN.format("three").upper() + "  "),
        (TRAIN.format("3"), TRAIN.format("3").replace("northern", "southern")),
        (TRAIN.format("3"), "12. " + TRAIN.format("3")),
        (WILL, WILL.replace("全部", "所有")),
        (WILL, WILL.replace("，", ", ").replace("？", "?")),
        ("What is $-2\\times3$?", "What is −2\\times3?"),
    ],
)
def test_an_edited_copy_is_found(one, other):
    assert found_in([one, other]) == {frozenset((0, 1))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRAIN.format("three"), TRAIN.format("four")),
        (TRAIN.format("3"), TRAIN.format("4")),
        ("How much is 12+7?", "How much is 12+8?"),
        ("Compute $2+3$ in the ring of integers", "Compute $2-3$ in the ring of integers"),
        (
            "小明有三个苹果，小红给了他五个苹果，他现在一共有多少个苹果？",
            "小明有四个苹果，小红给了他五个苹果，他现在一共有多少个苹果？",
        ),
        (
            PASSAGE + "\nWhat are receivables held at?",
            PASSAGE + "\nWho has looked at the assets of the firm?",
        ),
        (PASSAGE + "\nHow high is cash in 2018?", PASSAGE + "\nHow high are commissions in 2018?"),
        ("", "?"),
    ],
)
def test_exercises_of_one_template_and_questions_about_one_passage_are_no_copies(one, other):
    assert found_in([one, other]) == set()


def test_the_likeness_is_the_share_of_all_shingles():
    assert likeness("one two three four", "one two three five") == 2 / 4
    assert likeness("one two", "one two") == 1
    assert likeness("", "") == 0
    assert likeness("中国的首都", "中国的首府") == 2 / 4


def test_the_order_of_options_does_not_matter():
    assert compared("Which?", ["red", "blue"]) == compared("Which?", ["blue", "red"])


@pytest.mark.parametrize("asked", ["How much is it?", "How much " + "and how much " * 40 + "is it?"])
def test_the_last_sentence_below_a_passage_is_what_is_asked_however_long_it_is(asked):
    passage = "The firm holds cash. " * 20

    before, _mark, after = compared(passage + asked).partition("\x1f")

    assert (before.strip(), after.strip()) == (passage.strip().lower(), asked.lower())


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_find_nearly_all_pairs_at_the_threshold(threshold):
    bands, rows = core.bands_for(threshold)

    assert bands * rows <= core.PERMUTATIONS
    assert 1 - (1 - threshold**rows) ** bands >= core.LEAST_RECALL


def test_planted_copies_are_found_among_many_texts():
    rng = random.Random(4)
    vocabulary = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(4000)]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(25, 80))) for _ in range(1500)]
    planted = set()
    for number in range(300):
        words = texts[number].split()
        words[rng.randrange(len(words))] = "edited"
        planted.add(frozenset((number, len(texts))))
        texts.append(" ".join(words))

    found = found_in(texts)

    assert found >= {pair for pair in planted if likeness(*(compared(texts[each]) for each in pair)) >= 0.8}
    assert found <= planted


def test_many_copies_of_one_template_stay_cheap_and_apart():
    texts = [
        f"Exercise about adding apples and pears, how much is {number} apples and {number} pears?"
        for number in range(600)
    ]
    texts += [text + " Please." for text in texts[:5]]

    found = found_in(texts)

    assert found == {frozenset((number, 600 + number)) for number in range(5)}


def kept_by_content(texts):
    """Return which text is kept in place of which, where texts are imported in this order."""
    by_id = {number: compared(text) for number, text in enumerate(texts)}
    pairs = core.near_pairs(by_id.items(), lambda ids: {each: by_id[each] for each in ids}, threshold=0.8)
    merits = [
        Merit(number, hashlib.sha256(text.encode()).hexdigest(), solution_length=len(text) % 3)
        for number, text in by_id.items()
    ]
    return {(texts[copy.id], texts[copy.keeper], copy.likeness) for copy in clusters([pairs], merits)}


@given(st.permutations(TEXTS))
def test_the_order_of_import_does_not_change_what_is_kept(order):
    found = kept_by_content(order)

    assert found == kept_by_content(TEXTS)
    assert len(found) == 3


PAIRS = core.Pairs(np.array([1, 2, 1]), np.array([2, 3, 4]), np.array([0.9, 0.85, 0.8]))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, {(2, 1), (4, 1)}),  # 1 has the smallest hash; 3 is like 2 alone, and 2 is gone
        ({3: {"has_key": True}}, {(2, 3), (4, 1)}),
        ({2: {"solution_length": 5}, 1: {"solution_length": 4}}, {(1, 2), (3, 2)}),
        ({2: {"is_chosen": True}, 1: {"has_key": True, "solution_length": 9}}, {(1, 2), (3, 2)}),
        ({1: {"is_apart": True}}, {(3, 2)}),
        ({1: {"is_banned": True}}, {(1, 2), (3, 2)}),
        ({4: {"is_pinned": True}}, {(1, 4), (3, 2)}),
    ],
)
def test_the_better_question_is_kept_and_an_experts_word_outranks_all(changes, wanted):
    merits = [Merit(number, str(number), **changes.get(number, {})) for number in (1, 2, 3, 4)]

    found = {(copy.id, copy.keeper) for copy in clusters([PAIRS], merits)}

    assert found == wanted


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=20
    ),
    st.randoms(use_true_random=False),
)
def test_every_copy_is_like_its_keeper_itself_and_no_keeper_is_a_copy(edges, rng):
    left, right = np.array([a for a, _ in edges], np.int64), np.array([b for _, b in edges], np.int64)
    pairs = core.Pairs(left, right, np.full(len(edges), 0.9))
    merits = [Merit(number, str(rng.random())) for number in range(10)]

    found = clusters([pairs], merits)

    alike = {frozenset(edge) for edge in edges}
    copies, keepers = [copy.id for copy in found], {copy.keeper for copy in found}
    assert all(frozenset((copy.id, copy.keeper)) in alike for copy in found)
    assert len(set(copies)) == len(copies)
    assert not keepers & set(copies)
    left_over = set(range(10)) - set(copies)
    assert not any(edge <= left_over for edge in alike)


def test_meanings_are_compared_block_by_block_as_all_at_once(monkeypatch):
    monkeypatch.setattr(core, "BATCH", 7)
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    vectors[40:50] = vectors[:10] + 0.01
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = list(range(100, 160))

    pairs = core.meaning_pairs(ids, vectors, lambda wanted: dict.fromkeys(wanted, "same"), threshold=0.95)

    cosines = vectors @ vectors.T
    wanted = {(ids[a], ids[b]) for a in range(60) for b in range(a + 1, 60) if cosines[a, b] >= 0.95}
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == wanted
    assert len(wanted) >= 10
    assert pairs.by_meaning


def test_questions_of_one_meaning_with_other_numbers_are_no_copies():
    vectors = np.ones((2, 1), np.float32)
    texts = {1: "how much is 3 and 4", 2: "what do 3 and 5 make"}

    pairs = core.meaning_pairs([1, 2], vectors, lambda _ids: texts, threshold=0.95)

    assert len(pairs.left) == 0


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("12+7", "12+8", True),
        ("12+7", "12-7", True),
        ("1. find 7", "find 7", False),
        ("3.5", "35", True),
        ("七个人", "八个人", True),
        ("seven hours", "eight hours", True),
        ("find x", "find y", False),
    ],
)
def test_figures_differ_where_each_side_has_one_that_the_other_lacks(one, other, differ):
    assert figures_differ(one, other) is differ


LONG_KEY = "解：由题意可知，三角形的面积等于底乘以高的一半，因此答案是四十二平方厘米，选择第三个选项"


@pytest.mark.parametrize(
    ("key", "options", "other", "other_options", "differ"),
    [
        ("A", ["red", "blue"], "B", ["blue", "red"], False),
        ("A", ["red", "blue"], "B", ["red", "blue"], True),
        ("AC", ["1", "2", "3"], "ca", ["1", "2", "3"], False),
        ("", [], "5", [], False),
        (" 5", [], "5", [], False),
        ("5", [], "6", [], True),
        ("A", ["$$6$$"], "A", ["6"], False),
        ("A", ["Adler’s psychology"], "A", ["Adler’s psychology."], False),
        (r"0.0245 \mathrm{kPa}", [], "0.0245kPa", [], False),
        ("-2", [], "2", [], True),
        ("1.5", [], "15", [], True),
        ("$539 million", [], "$572 million", [], True),
        ("0.5", [], r"\frac{1}{2}", [], False),
        (LONG_KEY, [], LONG_KEY.replace("，", ", ").replace("选择", "选"), [], False),
    ],
)
def test_keys_are_compared_by_what_they_say(key, options, other, other_options, differ):
    assert keys_differ(key, options, other, other_options) is differ


# With a database


@pytest.fixture
def ask(make_pool):
    """Return what puts texts into one project, and runs a search."""

    class Asked:
        def __init__(self):
            self.pool = make_pool()
            self.project = self.pool.project

        def question(self, text, **fields):
            made = {"content_hash": hashlib.sha256(text.encode()).hexdigest(), "key": "1", "language": "en"}
            return Question.objects.create(
                project=self.project, pool=self.pool, text=text, **{**made, **fields}
            )

        def search(self, **options):
            job = services.start_copy_search(project=self.project, by=None, **options)
            services.run_copy_search(job=job)
            return job

    return Asked()


def kept():
    return {(copy.question_id, copy.keeper_id) for copy in NearCopy.objects.all()}


def test_a_search_replaces_what_the_last_one_found(ask):
    one = ask.question(TRAIN.format("three"), solution="long")
    other = ask.question(TRAIN.format("three").replace("northern", "southern"))
    ask.question(TRAIN.format("four"))

    first = ask.search()

    assert (first.state, first.copies, first.clusters, first.progress_done) == (JobState.SUCCEEDED, 1, 1, 3)
    assert kept() == {(other.pk, one.pk)}
    assert ask.search(threshold=1).copies == 0
    assert kept() == set()


def test_a_search_looks_at_its_own_project_alone(ask, make_question):
    ask.question(TRAIN.format("three"))
    make_question(text=TRAIN.format("three").replace("northern", "southern"))

    assert ask.search().copies == 0


def test_two_searches_at_once_are_refused(ask):
    services.start_copy_search(project=ask.project, by=None)

    with pytest.raises(Refusal, match="at work already"):
        services.start_copy_search(project=ask.project, by=None)


@pytest.mark.parametrize("threshold", [0.4, 1.1])
def test_a_threshold_out_of_range_is_refused(ask, threshold):
    with pytest.raises(Refusal, match="Least likeness"):
        services.start_copy_search(project=ask.project, threshold=threshold, by=None)


def test_a_cancelled_search_leaves_what_the_last_one_found(ask):
    ask.question(TRAIN.format("three"))
    ask.question(TRAIN.format("three").replace("northern", "southern"))
    ask.search()
    before = kept()
    job = services.start_copy_search(project=ask.project, by=None)

    def stop(_job):
        raise Cancelled(_job)

    services.run_copy_search(job=job, watch=stop)

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert kept() == before != set()


def test_the_kept_one_can_be_changed_and_a_new_search_keeps_to_that(ask, make_user):
    one = ask.question(TRAIN.format("three"), solution="the longest")
    other = ask.question(TRAIN.format("three").replace("northern", "southern"))
    third = ask.question(TRAIN.format("three").replace("without a stop", "without any stop"))
    ask.search()
    assert kept() == {(other.pk, one.pk), (third.pk, one.pk)}

    services.rule_on_copy(question=other, ruling=CopyRuling.KEEPER, by=make_user())

    now = kept()
    assert (one.pk, other.pk) in now
    ask.search()
    assert kept() == now
    services.rule_on_copy(question=one, ruling=CopyRuling.KEEPER, by=make_user())
    other.refresh_from_db()
    assert other.copy_ruling == CopyRuling.OPEN
    assert (other.pk, one.pk) in kept()
    ask.search()
    assert kept() == {(other.pk, one.pk), (third.pk, one.pk)}
    assert QuestionEdit.objects.filter(question=one, field="copy_ruling", after="keeper").count() == 1


def test_what_is_no_copy_leaves_its_cluster_and_stays_out(ask, make_user):
    one = ask.question(TRAIN.format("three"), solution="the longest")
    other = ask.question(TRAIN.format("three").replace("northern", "southern"))
    ask.search()

    services.rule_on_copy(question=other, ruling=CopyRuling.APART, by=make_user())

    assert kept() == set()
    assert ask.search().copies == 0
    services.rule_on_copy(question=other, ruling=CopyRuling.OPEN, by=make_user())
    ask.search()
    assert kept() == {(other.pk, one.pk)}


def test_copies_by_meaning_are_found_where_an_embedding_model_is_chosen(ask):
    embedder = Embedder.objects.create(project=ask.project, name="e")
    one = ask.question("How long does the journey take?", solution="long")
    other = ask.question("What is the duration of the trip?")
    apart = ask.question("Name the capital of France.")
    for question, vector in ((one, [1, 0]), (other, [0.999, 0.04]), (apart, [0, 1])):
        Embedding.objects.create(
            question=question, embedder=embedder, content_hash=question.content_hash, vector=vector
        )

    ask.search(embedder=embedder)

    (copy,) = NearCopy.objects.all()
    assert (copy.question, copy.keeper, copy.kind) == (other, one, "meaning")
    services.rule_on_copy(question=other, ruling=CopyRuling.KEEPER, by=None)
    assert [(row.question, row.keeper, row.kind) for row in NearCopy.objects.all()] == [
        (one, other, "meaning")
    ]


def test_the_page_starts_a_search_and_lists_what_it_found(client, ask, make_member):
    ask.question(TRAIN.format("three"), solution="long", key="180")
    copy = ask.question(TRAIN.format("three").replace("northern", "southern"), key="180")
    client.force_login(make_member(ask.project, Role.CURATOR))
    address = reverse("copies", args=[ask.project.slug])

    assert "Not searched yet" in client.get(address).text
    response = client.post(address, {"threshold": "0.75"})

    assert response.status_code == 302
    job = CopySearch.objects.get()
    assert (job.threshold, job.state) == (0.75, JobState.QUEUED)
    services.run_copy_search(job=job)
    page = client.get(address).text
    assert reverse("copy_cluster", args=[NearCopy.objects.get().keeper_id]) in page
    assert NearCopy.objects.get().question == copy


def pairs_with_other_keys():
    return {(pair.question_id, pair.other_id) for pair in Lookalike.objects.all()}


@pytest.mark.parametrize("order", [1, -1])
def test_questions_with_different_keys_are_no_copies_until_a_person_says_so(ask, order):
    texts = [(TRAIN.format("three"), "180"), (TRAIN.format("three").replace("northern", "southern"), "181")]
    one, other = (ask.question(text, key=key) for text, key in texts[::order])
    ask.search()
    assert (kept(), pairs_with_other_keys()) == (set(), {(one.pk, other.pk)})

    services.rule_on_lookalike(pair=Lookalike.objects.get(), is_copy=True, by=None)
    assert len(kept()) == 1
    ask.search()
    assert (len(kept()), pairs_with_other_keys()) == (1, {(one.pk, other.pk)})

    services.rule_on_lookalike(pair=Lookalike.objects.get(), is_copy=False, by=None)
    assert kept() == set()
    ask.search()
    assert (kept(), pairs_with_other_keys()) == (set(), {(one.pk, other.pk)})


@pytest.mark.parametrize(
    ("key", "other_key"), [("180", ""), ("0.5", "1/2"), ("180", "180"), ("一百八十", "180")]
)
def test_keys_that_say_the_same_make_no_difference(ask, key, other_key):
    ask.question(TRAIN.format("three"), key=key)
    ask.question(TRAIN.format("three").replace("northern", "southern"), key=other_key)

    ask.search()

    assert (len(kept()), pairs_with_other_keys()) == (1, set())


def test_the_same_words_with_another_key_stay_copies_since_one_key_is_wrong(ask):
    ask.question(TRAIN.format("three"), key="180", options=["a", "b"])
    ask.question(TRAIN.format("three") + " ", key="181", options=["b", "a"], content_hash="c" * 64)

    ask.search()

    assert (len(kept()), pairs_with_other_keys()) == (1, set())


def test_a_changed_key_ends_what_was_found_about_it(ask):
    one = ask.question(TRAIN.format("three"), key="180")
    ask.question(TRAIN.format("three").replace("northern", "southern"), key="181")
    ask.search()

    questions.set_key(question=one, key="181", by=None)

    assert pairs_with_other_keys() == set()
    ask.search()
    assert len(kept()) == 1


def test_a_whole_cluster_is_parted_with_one_word(ask):
    keeper = ask.question(TRAIN.format("three"), solution="long")
    for word in ("southern", "eastern", "western"):
        ask.question(TRAIN.format("three").replace("northern", word))
    ask.search(threshold=0.75)
    assert len(kept()) == 3

    assert services.part_cluster(keeper=keeper, by=None) == 3

    assert kept() == set()
    ask.search(threshold=0.75)
    assert kept() == set()


def test_the_pairs_with_different_keys_are_shown_and_ruled_on(client, ask, make_member):
    ask.question(TRAIN.format("three"), key="180")
    ask.question(TRAIN.format("three").replace("northern", "southern"), key="181")
    ask.search()
    client.force_login(make_member(ask.project, Role.CURATOR))
    address = reverse("lookalikes", args=[ask.project.slug])

    assert address in client.get(reverse("copies", args=[ask.project.slug])).text
    page = client.get(address).text
    assert all(part in page for part in ("<del>", "<ins>", "180", "181"))
    client.post(
        reverse("lookalike_ruling", args=[Lookalike.objects.get().pk]), {"ruling": "copy"}, follow=True
    )

    assert len(kept()) == 1


def test_a_cluster_shows_the_differences_word_by_word(client, ask, make_member):
    keeper = ask.question(TRAIN.format("three"), solution="long")
    copy = ask.question(TRAIN.format("three").replace("northern", "southern"))
    zh = ask.question(WILL, language="zh", solution="长")
    ask.question(WILL.replace("全部", "所有"), language="zh")
    ask.search()
    client.force_login(make_member(ask.project, Role.CURATOR))

    page = client.get(reverse("copy_cluster", args=[keeper.pk])).text
    chinese = client.get(reverse("copy_cluster", args=[zh.pk])).text

    assert "<del>northern </del>" in page
    assert "<ins>southern </ins>" in page
    assert "<del>全部</del>" in chinese
    assert "<ins>所有</ins>" in chinese
    response = client.get(reverse("copy_cluster", args=[copy.pk]))
    assert response.url == reverse("copy_cluster", args=[keeper.pk])
    client.post(reverse("copy_ruling", args=[copy.pk]), {"ruling": "keeper"})
    assert kept() >= {(keeper.pk, copy.pk)}


def test_markup_in_a_question_is_shown_and_not_run(client, ask, make_member):
    keeper = ask.question(TRAIN.format("three") + " <script>alert(1)</script>", solution="long")
    ask.question(TRAIN.format("three") + " <script>alert(2)</script>".replace("2", "1") + " now")
    ask.search()
    client.force_login(make_member(ask.project, Role.REVIEWER))

    page = client.get(reverse("copy_cluster", args=[keeper.pk])).text

    assert "<script>alert" not in page
    assert "&lt;script" in page


def test_the_command_finds_copies_and_says_how_many(ask, capsys):
    ask.question(TRAIN.format("three"))
    ask.question(TRAIN.format("three").replace("northern", "southern"))

    call_command("find_copies", ask.project.slug, threshold=0.7, json=True)

    told = json.loads(capsys.readouterr().out)
    assert (told["questions"], told["copies"], told["clusters"], told["threshold"]) == (2, 1, 1, 0.7)


def test_the_command_refuses_an_embedding_model_that_is_not_there(ask):
    with pytest.raises(CommandError, match="no embedding model named 'e'"):
        call_command("find_copies", ask.project.slug, embedder="e")


# The real pools


@pytest.mark.real_pools
def test_known_copies_across_the_real_sources_are_found(real_pools):
    files = (
        "agieval",
        "gaokao_bench",
        "mmlu",
        "math_train",
        "tal_scq5k_en",
        "tal_scq5k_zh",
        "disc_law_exams",
        "tatqa_dev",
        "scibench",
    )
    rows = []
    for name in files:
        with gzip.open(real_pools / "pool_59k" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows += map(json.loads, lines)
    texts = {number: compared(row["question"], row["options"] or ()) for number, row in enumerate(rows)}

    pairs = core.near_pairs(texts.items(), lambda ids: {each: texts[each] for each in ids}, threshold=0.8)

    found = {
        frozenset((rows[left]["id"], rows[right]["id"]))
        for left, right in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    }
    for one, other in KNOWN_COPIES:
        assert frozenset((one, other)) in found, (one, other)
    for one, other in KNOWN_APART:
        assert frozenset((one, other)) not in found, (one, other)
    assert 900 < len(found) < 2500


KNOWN_COPIES = [
    ("agieval-gaokao-mathcloze-0089", "gaokao_bench-sub-2010-2022_Math_I_Fill-in-the-Blank-0056"),
    ("agieval-gaokao-mathqa-0125", "gaokao_bench-obj-2010-2022_Math_I_MCQs-0198"),
    ("agieval-gaokao-physics-0081", "gaokao_bench-obj-2010-2022_Physics_MCQs-0059"),
    ("mmlu-test-high_school_mathematics-0229", "math_train-06304"),
    ("mmlu-test-high_school_mathematics-0165", "math_train-00322"),
    ("mmlu-test-conceptual_physics-0050", "mmlu-test-conceptual_physics-0007"),
    ("tal_scq5k_en-train-0862", "tal_scq5k_en-train-0617"),
    ("tal_scq5k_zh-train-0847", "tal_scq5k_zh-train-1115"),
    ("disc_law_exams-mult_pae-0028", "disc_law_exams-mult_pae-0173"),
]
# The same passage, another question.
KNOWN_APART = [
    ("tatqa_dev-b112827b-5e3d", "tatqa_dev-a6cc136d-ceb2"),
    ("tatqa_dev-4c3adbad-cbe4", "tatqa_dev-58753c83-a3d7"),
    ("agieval-lsat-ar-0193", "agieval-lsat-ar-0191"),
    ("agieval-sat-en-0060", "agieval-sat-en-0057"),
    ("mmlu-test-high_school_european_history-0136", "mmlu-test-high_school_european_history-0029"),
]
