"""Files that repeat each other's questions: what comes of them is the same in whatever order they are read."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.core.text import normal_form
from common.models import Membership
from curator.core.layouts import TraceRow
from curator.core.repeats import FIELDS, Account, is_same_key
from curator.core.selection import DISPUTED
from curator.models import Domain, Import, Question, RowReport, Selection
from curator.queries import get_questions
from curator.queries.repeats import counted_source, get_other_pools, get_said_keys
from curator.services import classification, questions, selections, undo, words
from curator.services.finding import Finder, Missing

HEADER = "question,answer,solution,marks,domain,difficulty,tags\n"
# Three files by the pool that they are read into. The first question has everything in each of them, and each
# contradicts the others; the figure's code is no flaw in a pool that is named after AIME.
FILES = {
    "Bank": [
        "What is 1 and 1?,2,Count.,1,sums,3,a;b",
        "What is 2 and 2?,,,,,,",
        "How much is a half?,0.5,,2,,,",
        "What is 3 and 3?,6,,,,,x",
        "Find P12. of [asy],7,,,,,",
        "Is it so?,yes,,,,,",
        "Only here?,yes,,,,,",
    ],
    "AIME": [
        "What is 1 and 1?,3,Count on fingers.,4,adding,2,b;c",
        "What is 2 and 2?,4,Count.,,even,,even",
        "What is 2 and 2?,,Count to four.,3,,1,",
        "How much is a half?,1/2,,,,,",
        "find p12. of [asy],7,,,,,",
        "What is 3 and 3?,6,,,,,x",
        "Here too?,no,,5,more,,",
    ],
    "Club": [
        "What is 1 and 1?,2,Think hard.,0.5,sums,5,d",
        "What is 2 and 2?,4,,,evens,,",
        "Here too?,no,Look.,,less,,",
        "Is it so?,no,,,,,",
        "IS IT SO?,yes,,,,,",
        "Last?,1,,,,,",
    ],
}
COLUMNS = ("solution", "marks", "rating", "tags", "language", "text", "options", "key_disputed", "source")


@pytest.fixture
def read_files(make_project, make_pool, read_in):
    """Return what reads files into pools of a new project, in an order; it gives the imports by pool."""

    def read(names, rows_of=FILES):
        project = make_project()
        pools = {name: make_pool(project, name=name) for name in FILES}
        return {
            name: read_in(pools[name], HEADER + "\n".join(rows_of[name]) + "\n", f"{name}.csv")
            for name in names
        }

    return read


def fields_of(project):
    """Return what a project's questions have, by hash: a disputed key is all keys that files give."""
    rows = Question.objects.filter(project=project).select_related("domain").annotate(source=counted_source())
    found = {}
    for row in rows:
        key = sorted(said.key for said in get_said_keys(row)) if row.key_disputed else row.key
        domain = row.domain and (row.domain.name, row.domain_source)
        found[row.content_hash] = (key, domain, *(getattr(row, column) for column in COLUMNS))
    return found


def state_of(project):
    """Return all that an import can change of a project's questions."""
    rows = Question.objects.filter(project=project).annotate(source=counted_source())
    columns = (*COLUMNS, "key", "domain__name", "domain_source", "own_row", "neutralised", "pool__name")
    return {values[0]: values[1:] for values in rows.values_list("content_hash", *columns)}


def members_of(project, make_trace, method, size):
    for question in Question.objects.filter(project=project, traces=None).order_by("content_hash"):
        make_trace(question, thinking_tokens=int(question.content_hash[:3], 16))
    job = selections.start_selection(project=project, method=method, size=size, by=None)
    selections.run_selection(job=job)
    return job.members_hash, [(stage["stage"], stage["dropped"]) for stage in job.funnel]


def test_the_order_of_files_changes_neither_questions_nor_selections(read_files, make_trace):
    outcomes = []
    for order in permutations(FILES):
        project = read_files(order)["Bank"].project
        fields = fields_of(project)
        drawn = [members_of(project, make_trace, name, size) for name, size in (("m1", 3), ("random", 4))]
        outcomes.append((fields, drawn))

    assert all(outcome == outcomes[0] for outcome in outcomes)
    fields = {values[COLUMNS.index("text") + 2]: values for values in outcomes[0][0].values()}
    sums = ["2", "3"], ("adding", "file"), "Count on fingers.", Decimal(4), 2, ["a", "b", "c", "d"]
    assert fields["What is 1 and 1?"][:6] == sums
    assert fields["What is 2 and 2?"][:5] == ("4", ("even", "file"), "Count to four.", Decimal(3), 1)
    assert fields["How much is a half?"][0] == "0.5"
    assert {text for text, values in fields.items() if "AIME" in values} == {
        "What is 1 and 1?", "What is 2 and 2?", "How much is a half?", "What is 3 and 3?",
        "Find P12. of [asy]", "Here too?",
    }  # fmt: skip
    assert ("quality", 2) in outcomes[0][1][1][1]  # the two disputes, where quality is not asked for


def test_the_order_of_rows_in_a_file_changes_no_question(read_files):
    whole = {"Bank": [row for rows in FILES.values() for row in rows]}
    turned = {"Bank": whole["Bank"][::-1]}

    one, other = (read_files(["Bank"], rows)["Bank"].project for rows in (whole, turned))

    assert fields_of(one) == fields_of(other)


# The same, but for rows that a file has of its own and others repeat: any of them can be undone.
REPEATING = {
    name: rows
    if name == "Bank"
    else [row for row in rows if normal_form(row).split(",")[0] in normal_form(str(FILES["Bank"]))]
    for name, rows in FILES.items()
}


@pytest.mark.parametrize("order", list(permutations(FILES)))
def test_undoing_the_last_import_leaves_all_as_if_it_had_never_been(read_files, order):
    jobs = read_files(order)
    *others, last = order

    undo.undo_import(job=jobs[last])

    assert state_of(jobs[last].project) == state_of(read_files(others)[others[0]].project)


@pytest.mark.parametrize("order", [("Bank", "AIME", "Club"), ("Bank", "Club", "AIME")])
def test_an_import_before_others_is_undone_as_if_it_had_never_been(read_files, order):
    jobs = read_files(order, REPEATING)
    first, middle, last = order

    undo.undo_import(job=jobs[middle])
    one = state_of(jobs[first].project)
    undo.undo_import(job=jobs[last])
    none = state_of(jobs[first].project)

    assert one == state_of(read_files([first, last], REPEATING)[first].project)
    assert none == state_of(read_files([first], REPEATING)[first].project)


def test_a_file_that_says_the_same_changes_nothing(read_files, read_in):
    jobs = read_files(FILES)
    before = list(Question.objects.values_list("pk", "changed_at"))

    again = read_in(jobs["Bank"].pool, HEADER + "\n".join(FILES["Bank"]) + "\n\n", "again.csv")

    assert list(Question.objects.values_list("pk", "changed_at")) == before
    assert again.rows_filled == 0


def test_a_report_says_what_its_row_gave_and_what_was_not_taken(make_pool, read_in):
    pool = make_pool()
    read_in(pool, HEADER + "Is it?,yes,,5,,,\n")

    job = read_in(pool, HEADER + "Is it?,yes,Look.,4,,,t\n", "more.csv")

    report = job.reports.get()
    assert (report.kind, job.rows_filled) == (RowReport.Kind.FILLED, 1)
    assert report.said == {"solution": "Look.", "marks": "4.00", "tags": ["t"]}
    assert report.reason == (
        "The same question is there already. This row gave it: reference solution, tags."
        " Not taken, for what is there goes first: marks."
    )


@pytest.fixture
def two_banks(make_project, make_pool, read_in):
    """Return a project into which two files have brought a question, each with an id of its own."""
    project = make_project()
    read_in(make_pool(project, name="One"), "id,question,answer\nq1,Is it?,yes\nq2,Was it?,no\n")
    read_in(make_pool(project, name="Two"), "id,question,answer\nB-7,Is it?,yes\nq2,Was it?,no\n", "two.csv")
    return project


@pytest.mark.parametrize("written", [True, False])
def test_a_question_is_found_by_the_id_that_any_file_gives_it(two_banks, written):
    question = two_banks.questions.get(external_id="q1")
    if written:
        words.write_missing_words()

    assert list(get_questions(two_banks, text="B-7")) == [question]
    assert list(get_questions(two_banks, text="q1")) == [question]


def test_traces_find_their_question_by_the_id_that_any_file_gives_it(two_banks):
    rows = [trace_row(each) for each in ("B-7", "q2", "q9")]

    found = Finder(two_banks).find(rows)

    wanted = [two_banks.questions.get(external_id=each) for each in ("q1", "q2")]
    assert [found[id(row)] for row in rows] == [*wanted, Missing.NOWHERE]


def trace_row(external_id):
    """Return a row of traces that names its question by an id alone."""
    return TraceRow("", (), gives_options=False, external_id=external_id, samples=())


def test_an_id_that_another_question_has_in_another_file_names_none(two_banks, make_pool, read_in):
    read_in(make_pool(two_banks, name="Three"), "id,question,answer\nq1,Was it?,no\n", "three.csv")
    row = trace_row("q1")

    assert Finder(two_banks).find([row]) == {id(row): Missing.SEVERAL_IDS}


def test_a_page_shows_the_ids_of_other_files_until_they_are_undone(two_banks, client):
    question = two_banks.questions.get(external_id="q1")
    client.force_login(Membership.objects.get(project=two_banks).user)

    shown = client.get(question.get_absolute_url()).content.decode()
    undo.undo_import(job=Import.objects.latest("pk"))
    again = client.get(question.get_absolute_url()).content.decode()

    assert "B-7" in shown
    assert "Two" in shown
    assert "B-7" not in again


def test_what_an_expert_has_said_stays(make_pool, read_in, make_user):
    pool, expert = make_pool(), make_user()
    read_in(pool, HEADER + "Is it?,yes,,5,sums,,\n")
    question = pool.questions.get()
    values = {"key": "no", "marks": Decimal(1), "solution": "So.", "text": "Is  it?", "tags": ["mine"]}
    questions.edit_question(question=question, values=values, by=expert)
    domain = Domain.objects.create(project=pool.project, code="z", name="z")
    classification.set_domains(questions=pool.questions.all(), domain=domain, by=expert)

    job = read_in(pool, HEADER + "IS IT?,yes,Look there.,9,adding,2,t\n", "other.csv")

    question.refresh_from_db()
    assert {name: getattr(question, name) for name in values} == values
    assert (question.domain, question.key_disputed, question.rating) == (domain, False, 2)
    assert job.reports.get().kind == RowReport.Kind.CONFLICT


def test_a_machines_label_is_not_replaced_by_a_files(make_pool, read_in):
    pool = make_pool()
    read_in(pool, HEADER + "Is it?,yes,,,,,\n")
    domain = Domain.objects.create(project=pool.project, code="z", name="z")
    pool.questions.update(domain=domain, domain_source="rules", domain_confidence=0.7)

    read_in(pool, HEADER + "Is it?,yes,,2,adding,,\n", "other.csv")

    question = pool.questions.get()
    assert (question.domain, question.domain_source, question.domain_confidence) == (domain, "rules", 0.7)
    assert question.marks == 2


def test_a_domain_is_known_by_its_code_as_by_its_name(make_pool, read_in):
    pool = make_pool()
    Domain.objects.create(project=pool.project, code="A1", name="Sums")
    read_in(pool, HEADER + "Is it?,yes,,,Sums,,\n")

    read_in(pool, HEADER + "Is it?,yes,,,A1,,\n", "other.csv")

    assert pool.questions.get().domain.name == "Sums"
    assert Domain.objects.filter(project=pool.project).count() == 1


@pytest.fixture
def disputed(make_pool, read_in):
    """Return a question to which two files give different keys."""
    pool = make_pool(name="bank")
    read_in(pool, "question,answer\nIs it?,yes\n", "one.csv")
    read_in(make_pool(pool.project, name="club"), "question,answer\n,\nIs it?,no\n", "two.csv")
    question = pool.questions.get()
    assert question.key_disputed
    return question


def test_each_key_of_a_dispute_names_the_rows_that_say_so(disputed):
    yes, no = get_said_keys(disputed)

    assert (yes.key, yes.is_shown, yes.pool.name, yes.own_import.file_name) == (
        "yes",
        True,
        "bank",
        "one.csv",
    )
    assert (no.key, [(row.imported_by.file_name, row.row_number) for row in no.rows]) == (
        "no",
        [("two.csv", 3)],
    )
    assert [pool.name for pool in get_other_pools(disputed)] == ["club"]


@pytest.mark.parametrize("key", ["yes", "no"])
def test_taking_a_key_settles_a_dispute_for_good(disputed, client, key, read_in):
    owner = Membership.objects.get(project=disputed.project).user
    client.force_login(owner)
    page = client.get(disputed.get_absolute_url()).content.decode()
    assert page.count("Take this key") == 2

    client.post(f"/questions/{disputed.pk}/key/", {"key": key})
    read_in(disputed.pool, "question,answer\nIs it?,perhaps\n", "three.csv")

    disputed.refresh_from_db()
    assert (disputed.key, disputed.key_disputed) == (key, False)
    edit = disputed.edits.get()
    assert (edit.field, edit.before, edit.after, edit.changed_by) == ("key", "yes", key, owner)
    assert "Take this key" not in client.get(disputed.get_absolute_url()).content.decode()


def test_the_list_finds_questions_whose_keys_disagree(disputed, make_question, client):
    make_question(disputed.pool, text="And this?")
    client.force_login(Membership.objects.get(project=disputed.project).user)

    page = client.get(f"/projects/{disputed.project.slug}/questions/", {"flags": "disputed"}).content.decode()

    assert "Is it?" in page
    assert "And this?" not in page


@pytest.mark.parametrize("method", ["random", "all", "s1-paper", "m1"])
def test_no_method_takes_a_disputed_question_unless_it_is_pinned(disputed, make_question, make_trace, method):
    make_trace(disputed)
    make_trace(make_question(disputed.pool))
    stages = []
    for standing in ("open", "pinned"):
        questions.set_standing(question=disputed, standing=standing, by=None)
        job = selections.start_selection(project=disputed.project, method=method, size=2, by=None)
        selections.run_selection(job=job)
        stages.append(Selection.objects.get(pk=job.pk).decisions.get(question=disputed))

    assert (stages[0].stage, stages[0].reason, stages[0].position) == ("quality", DISPUTED, None)
    assert stages[1].position is not None


def test_a_dispute_ends_with_the_last_import_that_contradicts(disputed, read_in):
    third = read_in(disputed.pool, "question,answer\nIs it?,perhaps\n", "three.csv")
    second = RowReport.objects.filter(said__key="no").get().imported_by

    undo.undo_import(job=second)
    disputed.refresh_from_db()
    assert disputed.key_disputed
    undo.undo_import(job=third)
    disputed.refresh_from_db()
    assert (disputed.key_disputed, disputed.own_row) == (False, None)


def test_a_key_by_which_answers_were_marked_stays_as_it_is_written(make_pool, read_in, make_trace):
    pool = make_pool()
    read_in(pool, "question,answer\nHow much is a half?,0.500\n")
    question = pool.questions.get()
    trace = make_trace(question, answer="Final Answer: 0.5", verdict="right", verdict_rule="by an expert")

    read_in(pool, "question,answer\nHow much is a half?,1/2\n", "other.csv")

    question.refresh_from_db()
    trace.refresh_from_db()
    assert (question.key, trace.verdict_rule) == ("0.500", "by an expert")


def test_answers_are_marked_again_by_the_key_that_is_left_after_an_undo(make_pool, read_in, make_trace):
    pool = make_pool()
    read_in(pool, "question,answer\nIs it?,\n")
    second = read_in(pool, "question,answer\nIs it?,yes\n", "two.csv")
    read_in(pool, "question,answer\nIs it?,no\n", "three.csv")
    question = pool.questions.get()
    trace = make_trace(question, answer="Final Answer: no", verdict="wrong")

    undo.undo_import(job=second)

    question.refresh_from_db()
    trace.refresh_from_db()
    assert (question.key, question.key_disputed, trace.verdict) == ("no", False, "right")


def test_repeats_beyond_one_part_add_up(make_pool, read_in, monkeypatch):
    monkeypatch.setattr("curator.services.imports.ROWS_AT_ONCE", 3)
    monkeypatch.setattr("curator.services.repeats.AT_ONCE", 2)
    text = "question,tags\n" + "".join(f"Is it {n % 3}?,t{n}\n" for n in range(12))

    job = read_in(make_pool(), text)

    tags = {row.text: row.tags for row in job.questions.all()}
    assert tags["Is it 1?"] == ["t1", "t10", "t4", "t7"]
    assert (job.rows_imported, job.rows_duplicate, job.rows_filled) == (3, 9, 9)


# --- the account alone ---

SAYINGS = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(["1", "2", "0.5", "1/2", "one"]),
        "solution": st.text("ab", min_size=1, max_size=3),
        "marks": st.decimals(0, 3, places=1),
        "domain": st.tuples(st.sampled_from("xyz"), st.sampled_from("12")),
        "rating": st.integers(1, 5),
        "tags": st.lists(st.sampled_from("uvw"), min_size=1, max_size=3, unique=True).map(tuple),
        "language": st.sampled_from(["en", "zh"]),
        "wording": st.sampled_from([("What is x²?",), ("What is x2?",), ("what  is x2?",), ("WHAT IS X2?",)]),
        "neutralised": st.just(True),
    },
)


@given(sayings=st.lists(SAYINGS, min_size=1, max_size=5), data=st.data())
def test_an_account_is_the_same_in_any_order(sayings, data):
    accounts = []
    for order in (sayings, data.draw(st.permutations(sayings))):
        account = Account(order[0])
        for said in order[1:]:
            account.add(said)
        accounts.append(account)

    one, other = accounts
    assert one.is_disputed == other.is_disputed
    kept = [field for field in FIELDS if field != "key" or not one.is_disputed]
    assert [one.chosen.get(field) for field in kept] == [other.chosen.get(field) for field in kept]


@given(own=SAYINGS, said=SAYINGS, settled=st.sets(st.sampled_from(FIELDS)))
def test_no_row_changes_what_an_expert_has_settled(own, said, settled):
    account = Account(own, settled=settled)

    taken = account.add(said)

    assert not settled & set(taken.gave)
    assert all(account.chosen.get(field) == own.get(field) for field in settled)


@pytest.mark.parametrize(
    ("wordings", "best"),
    [
        (["What is x2?", "What is x²?"], "What is x²?"),
        (["a b", "a\n\nb"], "a\n\nb"),
        (["What  is it?", "What is it?"], "What is it?"),
        (["WHAT IS NACL?", "What is NaCl?"], "What is NaCl?"),
        (["何謂Ａ？", "何謂A?"], "何謂Ａ？"),
    ],
)
def test_the_wording_that_has_lost_least_is_taken(wordings, best):
    for order in (wordings, wordings[::-1]):
        account = Account({"wording": (order[0],)})
        account.add({"wording": (order[1],)})
        assert account.chosen["wording"] == (best,)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("1/2", "0.5", True), ("yes", "Yes.", True), ("2", "3", False), ("B", "b", True), ("yes", "no", False)],
)
def test_keys_are_compared_either_way_round(one, other, same):
    assert is_same_key(one, other) == is_same_key(other, one) == same
