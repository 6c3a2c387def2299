"""Each command prints one JSON object, or ends with status 1 and one sentence that names the place."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
import xlsxwriter
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from common.models import Project
from curator.management.commands.export import named_dataset
from curator.models import (
    Benchmark,
    Collection,
    Dataset,
    Domain,
    Import,
    Pool,
    Question,
    Selection,
    Teacher,
    Trace,
)
from curator.services import collecting, endpoints
from tests.stand_in import completion, dead_url, standing_in

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = "id,question,answer\n" + "".join(f"{n},How much is {n} and 1?,{n + 1}\n" for n in range(10, 18))


@pytest.fixture
def project(make_project):
    return make_project("ledger")


@pytest.fixture
def write(tmp_path):
    """Return what writes a file and gives its path as a word of a command line."""

    def write(content, name="bank.csv"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def command(capfd):
    """Return what runs a command with --json and reads its one object."""

    def run(*words):
        call_command(*(str(word) for word in words), "--json")
        printed = capfd.readouterr().out
        assert printed.count("\n") == 1, printed
        return json.loads(printed)

    return run


@pytest.fixture
def refused(capfd):
    """Return what runs a command that ends with status 1, and gives its sentence."""

    def run(*words):
        with pytest.raises(CommandError) as ended:
            call_command(*(str(word) for word in words), "--json")
        assert ended.value.returncode == 1
        sentence = str(ended.value)
        assert json.loads(capfd.readouterr().out) == {"error": sentence}
        assert "\n" not in sentence
        return sentence

    return run


@pytest.fixture
def bank(project, write, command):
    command("import_pool", "ledger", write(QUESTIONS), "--pool", "bank", "--licence", "MIT")
    return project


@pytest.fixture
def answered(bank, write, command):
    rows = [
        {"id": str(n), "thinking": f"{n} and one.", "answer": f"Final Answer: {n + 1}"} for n in range(10, 18)
    ]
    command("import_traces", "ledger", write(rows, "traces.json"), "--teacher", "R1")
    return bank


def test_create_project(db, command):
    outcome = command("create_project", "law", "--name", "Law", "--owner", "ada@school.example")

    assert (outcome["project"], outcome["owner"]) == ("law", "ada@school.example")
    assert "changepassword" in outcome["note"]
    assert Project.objects.get(slug="law").members.get().email == "ada@school.example"


def test_import_pool(project, write, command):
    content = QUESTIONS + "18,,19\n19,What is it?,\n10,How much is 10 AND 1?,11\n"

    outcome = command("import_pool", "ledger", write(content), "--pool", "bank", "--licence", "MIT")

    assert outcome["read"] == 11
    assert (outcome["imported"], outcome["duplicates"], outcome["rejected"]) == (9, 1, 1)
    assert outcome["needs_key"] == 1
    assert outcome["seconds"] >= 0
    assert outcome["reasons"][0]["first_row"] == 10


def test_import_pool_takes_several_files_and_archives(project, write, command, tmp_path):
    packed = tmp_path / "more.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", "question,answer\nWhat is the sum of 1 and 1?,2\n")
        archive.writestr("二.csv", "题目,答案\n二加二等于几？,4\n等于几？,\n")

    outcome = command("import_pool", "ledger", write(QUESTIONS), packed, "--pool", "p", "--licence", "MIT")

    figures = {key: outcome[key] for key in ("read", "imported", "duplicates", "rejected", "needs_key")}
    assert figures == {"read": 11, "imported": 11, "duplicates": 0, "rejected": 0, "needs_key": 1}
    assert [each["file"] for each in outcome["files"]] == ["bank.csv", "one.csv", "二.csv"]


def test_import_pool_reads_the_good_files_and_names_the_bad_one(project, write, refused):
    good, bad = write(QUESTIONS), write("a,b\n1,2\n", "bad.csv")

    said = refused("import_pool", "ledger", bad, good, "--pool", "p", "--licence", "MIT")

    assert "No column holds the question" in said
    assert said.endswith("What else was given is read in: bank.csv.")
    assert Question.objects.count() == 8


def test_import_pool_reads_files_as_they_are_said_to_be_written(project, command, tmp_path):
    path = tmp_path / "bank.txt"
    path.write_bytes("什么是资产？;现金，土地\n什么是负债？;贷款\n".encode("gbk"))
    said = ["--encoding", "gbk", "--separator", "semicolon", "--header-row", "0"]

    outcome = command(
        *("import_pool", "ledger", path, "--pool", "p", "--licence", "MIT", *said),
        *("--map", "question=Column 1", "key=Column 2"),
    )

    assert (outcome["imported"], outcome["rejected"]) == (2, 0)
    assert set(Question.objects.values_list("key", flat=True)) == {"现金，土地", "贷款"}
    assert Import.objects.get().reading == {"encoding": "GB18030", "delimiter": ";", "header_row": 0}


def test_import_pool_reads_the_sheet_that_is_named(project, command, refused, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "bank.xlsx")) as made:
        made.add_worksheet("cover").write_column(0, 0, ["question", "A made-up one"])
        made.add_worksheet("题库").write_column(0, 0, ["题目", "什么是资产？"])
    words = ["import_pool", "ledger", tmp_path / "bank.xlsx", "--pool", "p", "--licence", "MIT", "--sheet"]

    said = refused(*words, "题目")
    command(*words, "题库")

    assert said == "bank.xlsx has no sheet '题目'; choose one of cover, 题库."
    assert Question.objects.get().text == "什么是资产？"


@pytest.mark.parametrize(
    ("option", "word", "sentence"),
    [
        ("--encoding", "klingon", "'klingon' is none of UTF-8, UTF-16, GB18030"),
        ("--separator", "x", "'x' is none of comma, semicolon, tab, bar"),
        ("--header-row", "-1", "rows count from 1, and 0 is none"),
        ("--header-row", "²", "'²' is no row number"),
    ],
)
def test_import_pool_refuses_what_no_file_is_written_in(project, write, option, word, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command(
            "import_pool", "ledger", write(QUESTIONS), "--pool=p", "--licence=MIT", f"{option}={word}"
        )

    assert not Pool.objects.exists()


def test_import_pool_with_named_columns(project, write, command):
    path = write("甲,乙\n一加一是几？,二\n")

    outcome = command(
        "import_pool", "ledger", path, "--pool", "p", "--licence", "MIT", "--map", "question=甲", "key=乙"
    )

    assert (outcome["imported"], outcome["needs_key"]) == (1, 0)
    assert Question.objects.get().key == "二"


def test_import_taxonomy(project, write, command):
    outcome = command("import_taxonomy", "ledger", write("code,name\nA,Assets\nB,Debts\n"))

    assert outcome["domains"] == 2


def test_import_traces(bank, write, command):
    rows = [{"id": "10", "thinking": "so", "answer": "11"}, {"id": "99", "thinking": "so", "answer": "1"}]
    path = write(rows, "traces.json")

    outcome = command("import_traces", "ledger", path, "--teacher", "R1")
    again = command("import_traces", "ledger", path, "--teacher", "R1")

    wanted = {"read": 2, "stored": 1, "duplicates": 0, "unmatched": 1, "failed": 0, "cost_usd": 0}
    assert {key: outcome[key] for key in wanted} == wanted
    assert "seconds" in outcome
    assert (again["stored"], again["duplicates"], again["unmatched"]) == (0, 1, 1)


def test_collect_traces(bank, command):
    with standing_in(lambda *_: completion("Final Answer: 11", thinking="so")) as server:
        endpoints.create_teacher(
            project=bank, name="Ada", base_url=server.url, price_out_usd=1, max_tokens=50
        )

        outcome = command("collect_traces", "ledger", "--teacher", "Ada", "--limit", 5, "--max-cost", "0.5")
        rest = command("collect_traces", "ledger", "--teacher", "Ada")

    wanted = {"asked": 5, "stored": 5, "unmatched": 0, "failed": 0, "cost_usd": 0.0001}
    assert {key: outcome[key] for key in wanted} == wanted
    assert "seconds" in outcome
    assert rest["asked"] == 3


def test_the_estimate_stands_on_stderr_before_anything_is_asked(bank, capfd):
    with standing_in(lambda *_: completion("Final Answer: 11")) as server:
        endpoints.create_teacher(project=bank, name="Ada", base_url=server.url, price_out_usd=8)
        call_command("collect_traces", "ledger", "--teacher", "Ada")

    said = capfd.readouterr()
    assert "8 questions, about 0.30 USD" in said.err
    assert "stored: 8" in said.out


def test_import_benchmark(bank, write, command):
    path = write("question,answer\nHow much is 10 and 1?,11\nSomething else?,1\n", "exam.csv")

    outcome = command("import_benchmark", "ledger", path, "--name", "exam")

    assert (outcome["items"], outcome["leaks"]) == (2, 1)
    assert Benchmark.objects.get().pk == outcome["benchmark"]
    assert "seconds" in outcome


def test_select(answered, command):
    words = ("select", "ledger", "--method", "random", "--size", 3, "--seed", 4)

    outcome, again = command(*words), command(*words)

    assert (outcome["method"], outcome["seed"], outcome["size"]) == ("random", 4, 3)
    assert outcome["members_hash"] == again["members_hash"]
    assert all({"stage", "kept", "dropped"} <= set(stage) for stage in outcome["funnel"])
    assert outcome["funnel"][0]["kept"] == 8
    assert "seconds" in outcome
    assert Selection.objects.filter(pk=outcome["selection"], state="succeeded").exists()


def test_select_with_a_method_of_one_s_own_and_arms(answered, write, command):
    path = write({"name": "mine", "draw": "longest", "quality": False}, "mine.json")

    outcome = command("select", "ledger", "--method-file", path, "--size", 2, "--arms")

    assert outcome["method"] == "mine"
    assert set(outcome["arms"]) == {"random", "quality", "difficulty", "diversity", "all"}


def test_freeze_and_export(answered, command, tmp_path):
    selection = command("select", "ledger", "--method", "all", "--size", 8)["selection"]

    frozen = command("freeze", "ledger", selection, "--name", "first")
    again = command("freeze", "ledger", selection)
    by_number = command("export", frozen["dataset"], "--format", "s1", "--to", tmp_path / "out")
    by_hash = command("export", frozen["hash"][:8], "--to", tmp_path / "out")

    assert (frozen["rows"], frozen["name"], len(frozen["hash"])) == (8, "first", 64)
    assert again["dataset"] == frozen["dataset"]
    assert (by_number["hash"], by_number["rows"], by_number["dataset"]) == (
        frozen["hash"],
        8,
        frozen["dataset"],
    )
    for outcome in (by_number, by_hash):
        assert [len(Path(file).read_text().splitlines()) for file in outcome["files"]] == [8]


def test_without_json_people_read_a_line_a_value(project, capsys, tmp_path):
    (tmp_path / "t.csv").write_text("code\nA\n")

    call_command("import_taxonomy", "ledger", str(tmp_path / "t.csv"))

    assert capsys.readouterr().out.splitlines()[0] == "domains: 1"


BAD_POOLS = [
    ("%PDF-1.4 no table", "bank.csv is a PDF, not a table"),
    ("", "bank.csv is empty; export it again."),
    ("question,answer\n", "bank.csv has a header but no rows"),
    ("number,reply\n1,2\n", "No column holds the question; the file has number, reply"),
    ('question\n"open\n', "bank.csv, line 2, opens a quote"),
]


@pytest.mark.parametrize(("content", "sentence"), BAD_POOLS)
def test_a_bad_file_leaves_no_pool(project, write, refused, settings, content, sentence):
    said = refused("import_pool", "ledger", write(content), "--pool", "bank", "--licence", "MIT")

    assert sentence in said
    assert (Pool.objects.count(), Import.objects.count(), Question.objects.count()) == (0, 0, 0)
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_a_bad_file_leaves_a_pool_that_was_there_before(project, make_pool, write, refused):
    make_pool(project, name="bank", provenance="my own")

    refused("import_pool", "ledger", write("a,b\n1,2\n"), "--pool", "bank", "--licence", "MIT")

    assert Pool.objects.get().provenance == "my own"


def test_a_pool_that_is_there_needs_no_licence_and_a_new_one_does(bank, project, write, command):
    known = command("import_pool", "ledger", write("question,answer\nAnd 7?,7\n", "b.csv"), "--pool", "bank")

    with pytest.raises(
        CommandError, match="The pool 'other' is new; give its licence by --licence"
    ) as refused:
        command("import_pool", "ledger", write("question,answer\nAnd 8?,8\n", "c.csv"), "--pool", "other")

    assert known["imported"] == 1
    assert refused.value.returncode == 2
    assert Pool.objects.get().licence == "MIT"


def test_a_file_without_a_question_column_is_answered_with_how_to_name_it(project, write, refused):
    path = write("number,reply\n1,2\n")

    pool = refused("import_pool", "ledger", path, "--pool", "bank", "--licence", "MIT")
    benchmark = refused("import_benchmark", "ledger", path, "--name", "exam")

    named = "the file has number, reply. Name the one that does, as in --map question=COLUMN."
    assert pool == benchmark == f"No column holds the question; {named}"


def test_a_benchmark_s_columns_are_named(project, write, command):
    path = write("甲,乙\nHow?,1\n", "exam.csv")

    outcome = command("import_benchmark", "ledger", path, "--name", "exam", "--map", "question=甲", "key=乙")

    assert outcome["items"] == 1


def test_a_question_twice_is_reported_and_counted_once(bank, write, command):
    content = "question,answer\nHow much is 10 and 1?,11\nHow much is 10 and 1?,11\n"

    outcome = command("import_pool", "ledger", write(content), "--pool", "other", "--licence", "MIT")

    assert (outcome["imported"], outcome["duplicates"]) == (0, 2)


def test_the_same_file_again_is_refused(bank, write, refused):
    said = refused("import_pool", "ledger", write(QUESTIONS), "--pool", "bank", "--licence", "MIT")

    assert "bank.csv was read into this pool on" in said
    assert Question.objects.count() == 8


@pytest.mark.parametrize(
    "words",
    [
        ("import_pool", "ledger", "FILE", "--pool", "p", "--licence", "MIT"),
        ("import_taxonomy", "ledger", "FILE"),
        ("import_traces", "ledger", "FILE", "--teacher", "R1"),
        ("import_benchmark", "ledger", "FILE", "--name", "exam"),
        ("select", "ledger", "--method-file", "FILE"),
    ],
)
@pytest.mark.parametrize(
    ("is_folder", "why"), [(False, "No such file or directory"), (True, "Is a directory")]
)
def test_a_file_that_is_not_there_is_named_and_nothing_is_made(
    project, refused, tmp_path, words, is_folder, why
):
    path = tmp_path / "gone.csv"
    if is_folder:
        path.mkdir()

    said = refused(*(str(path) if word == "FILE" else word for word in words))

    assert path.name in said
    assert why in said or "is a folder, not a file" in said
    for kind in (Pool, Domain, Teacher, Benchmark, Selection):
        assert not kind.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("import_pool", "lodger", "x.csv", "--pool", "p", "--licence", "MIT"),
        ("import_taxonomy", "lodger", "x.csv"),
        ("import_traces", "lodger", "x.csv", "--teacher", "R1"),
        ("import_benchmark", "lodger", "x.csv", "--name", "exam"),
        ("collect_traces", "lodger", "--teacher", "R1"),
        ("select", "lodger"),
        ("freeze", "lodger", "1"),
    ],
)
def test_a_project_that_is_none_is_named(project, refused, words):
    assert "There is no project 'lodger'" in refused(*words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--map", "question"), "The mapping 'question' is no FIELD=COLUMN"),
        (("--map", "colour=id"), "There is no field 'colour'"),
        (("--map", "question=题目"), "The file has no column '题目' for question"),
        (("--licence", " "), "A pool needs a name and a licence"),
        (("--pool", "p" * 201), "Name: Ensure this value has at most 200 characters"),
    ],
)
def test_import_pool_with_a_bad_word_makes_no_pool(project, write, refused, words, sentence):
    path = write(QUESTIONS)

    said = refused("import_pool", "ledger", path, "--pool", "bank", "--licence", "MIT", *words)

    assert sentence in said
    assert not Pool.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "traces.csv is empty"),
        ("id,answer\n10,11\n", "traces.csv has no column thinking"),
        ("thinking,answer\nso,11\n", "traces.csv has neither a column question nor a column id"),
    ],
)
def test_bad_traces_leave_no_teacher(bank, write, refused, content, sentence):
    said = refused("import_traces", "ledger", write(content, "traces.csv"), "--teacher", "R1")

    assert sentence in said
    assert not Teacher.objects.exists()


def test_a_benchmark_with_a_row_without_a_key_is_refused(bank, write, refused):
    path = write("question,answer\nHow?,1\nWhy?,\n", "exam.csv")

    said = refused("import_benchmark", "ledger", path, "--name", "exam")

    assert "exam.csv, row 3, has no key" in said
    assert not Benchmark.objects.exists()


def test_a_teacher_that_is_none_is_answered_with_those_that_are(answered, refused):
    said = refused("collect_traces", "ledger", "--teacher", "R2")

    assert "The project has no teacher 'R2' (there is: R1)" in said


def test_a_teacher_without_an_address_is_not_asked(answered, refused):
    assert "R1 has no address" in refused("collect_traces", "ledger", "--teacher", "R1")
    assert not Collection.objects.exists()


def test_a_dead_endpoint_ends_with_its_address(bank, refused):
    url = dead_url()
    endpoints.create_teacher(project=bank, name="Ada", base_url=url, max_in_flight=32)
    for number in range(10):  # more questions than failures in a row that are borne
        bank.questions.create(
            pool=bank.pools.get(), content_hash=str(number), text=f"Is {number} odd?", language="en"
        )

    said = refused("collect_traces", "ledger", "--teacher", "Ada")

    assert f"Ada at {url} gave no answer" in said
    assert Collection.objects.get().state == "failed"
    assert not Trace.objects.exists()


def test_the_money_limit_ends_a_collection_with_status_1_and_a_higher_one_goes_on(bank, refused, command):
    with standing_in(lambda *_: completion("Final Answer: 1", tokens_out=100)) as server:
        endpoints.create_teacher(
            project=bank, name="Ada", base_url=server.url, price_out_usd=1000, max_tokens=100
        )

        said = refused("collect_traces", "ledger", "--teacher", "Ada", "--max-cost", "0.25")
        order = Collection.objects.get()
        state = order.state
        assert Trace.objects.count() == 2
        more = refused("collect_traces", "ledger", "--teacher", "Ada", "--max-cost", "0.45")
        assert Trace.objects.count() == 4
        outcome = command("collect_traces", "ledger", "--teacher", "Ada", "--max-cost", "1")

    assert state == "paused"
    assert "2 answers are stored, and the order rests: The order's limit of 0.25 USD does not allow" in said
    assert "with a higher --max-cost" in said
    assert "4 answers are stored" in more
    assert (outcome["stored"], outcome["cost_usd"]) == (8, 0.8)
    assert Collection.objects.get() == order


def test_an_order_that_may_spend_more_or_without_end_is_not_taken_up_with_a_limit(bank, refused):
    with standing_in(lambda *_: completion("Final Answer: 11", tokens_out=100)) as server:
        teacher = endpoints.create_teacher(
            project=bank, name="Ada", base_url=server.url, price_out_usd=1000, max_tokens=100
        )
        for limit in (Decimal(50), None):
            collecting.start_collection(teacher=teacher, max_cost_usd=limit, by=None).request_pause()

        refused("collect_traces", "ledger", "--teacher", "Ada", "--max-cost", "0.25")

    assert sorted(Collection.objects.values_list("state", "stored")) == [
        ("paused", 0),
        ("paused", 0),
        ("paused", 2),
    ]


@pytest.fixture
def asked(bank):
    """Return a teacher that answers, and an order to it that something has begun."""
    with standing_in(lambda *_: completion("Final Answer: 11", thinking="so")) as server:
        teacher = endpoints.create_teacher(project=bank, name="Ada", base_url=server.url)
        yield teacher, collecting.start_collection(teacher=teacher, by=None)


def test_what_a_dead_worker_left_is_gone_on_with(asked, command):
    _teacher, order = asked
    order.claim(now=timezone.now() - timedelta(hours=1))

    outcome = command("collect_traces", "ledger", "--teacher", "Ada")

    order.refresh_from_db()
    assert outcome["stored"] == order.stored == 8
    assert (order.state, order.claims, Collection.objects.count()) == ("succeeded", 2, 1)


def test_an_order_that_rests_is_gone_on_with(asked, command):
    _teacher, order = asked
    order.request_pause()

    command("collect_traces", "ledger", "--teacher", "Ada")

    order.refresh_from_db()
    assert (order.state, order.stored, Collection.objects.count()) == ("succeeded", 8, 1)


def test_an_order_with_other_limits_is_left_alone(asked, refused):
    _teacher, order = asked

    assert "being asked already" in refused("collect_traces", "ledger", "--teacher", "Ada", "--limit", 3)
    order.refresh_from_db()
    assert (order.state, order.stored) == ("queued", 0)


def test_an_order_whose_worker_lives_is_its_own(asked, refused, monkeypatch):
    _teacher, order = asked
    order.claim(now=timezone.now() - timedelta(seconds=10))
    monkeypatch.setattr("common.commands.sleep", lambda _seconds: order.beat(now=timezone.now()))

    assert "being asked already" in refused("collect_traces", "ledger", "--teacher", "Ada")
    order.refresh_from_db()
    assert (order.state, order.stored, order.claims) == ("running", 0, 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "mine.json is no JSON"),
        ("[]", "mine.json holds no JSON object"),
        ("{}", "The method has no name"),
        ('{"name": "mine", "draw": "dice"}', "The method's draw 'dice' is not one of"),
    ],
)
def test_a_method_file_that_cannot_be_used(answered, write, refused, content, sentence):
    said = refused("select", "ledger", "--method-file", write(content, "mine.json"))

    assert sentence in said
    assert not Selection.objects.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--size", "0"), "ask for 1 or more"),
        (("--size", "99999999999"), "Size: Ensure"),
        (("--seed", "9" * 30), "Seed"),
    ],
)
def test_a_size_or_seed_that_cannot_be_used(answered, refused, words, sentence):
    assert sentence in refused("select", "ledger", *words)
    assert not Selection.objects.exists()


def test_selecting_without_traces_says_what_is_missing(bank, refused):
    said = refused("select", "ledger", "--size", 2)

    assert "No question of this project has a trace yet" in said


def test_a_selection_that_is_none_is_named(answered, refused):
    assert "The project ledger has no selection 77" in refused("freeze", "ledger", 77)


def test_a_selection_of_another_project_is_none(answered, command, refused, make_project):
    selection = command("select", "ledger", "--method", "all")["selection"]
    make_project("other")

    assert f"The project other has no selection {selection}" in refused("freeze", "other", selection)


@pytest.mark.parametrize("word", ["77", "abcdef", "9" * 40])
def test_a_dataset_that_is_none_is_named(answered, refused, tmp_path, word):
    assert f"0 datasets fit '{word}'" in refused("export", word, "--to", tmp_path)


def test_a_hash_that_begins_with_digits_finds_its_dataset(answered, command):
    command("freeze", "ledger", command("select", "ledger", "--method", "all")["selection"])
    copy = Dataset.objects.get()
    copy.pk, copy.name, copy.content_hash = None, "digits", "1234567890" + "a" * 54
    copy.save(force_insert=True)

    assert named_dataset("1234567890") == copy
    assert named_dataset(str(copy.pk)) == copy


def test_a_folder_that_cannot_be_written_is_named(answered, command, refused, tmp_path):
    frozen = command("freeze", "ledger", command("select", "ledger", "--method", "all")["selection"])
    (tmp_path / "a file").write_text("")

    said = refused("export", frozen["dataset"], "--to", tmp_path / "a file" / "out")

    assert str(tmp_path / "a file" / "out") in said
    assert "name another folder" in said


def test_a_full_disk_is_named_and_leaves_no_half_file(answered, command, refused):
    frozen = command("freeze", "ledger", command("select", "ledger", "--method", "all")["selection"])

    said = refused("export", frozen["dataset"], "--to", "/proc")

    assert "/proc/" in said
    assert "cannot be written" in said


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["import_taxonomy", "nowhere", "gone.csv", "--json"], 1, "no project 'nowhere'"),
        (["select", "nowhere", "--size", "many"], 2, "invalid int value: 'many'"),
    ],
)
def test_the_exit_status_tells_a_refusal_from_wrong_usage(transactional_db, words, status, sentence):
    place = connection.settings_dict
    url = f"postgresql://{place['USER']}@{quote(place['HOST'], safe='')}:{place['PORT']}/{place['NAME']}"
    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == status
    assert sentence in ended.stderr
    if "--json" in words:
        assert sentence in json.loads(ended.stdout)["error"]
    else:
        assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


def test_probe_solver_and_grade(bank, command):
    """Try the bank with a solver that writes prose, and have an assistant grade what rules cannot decide."""
    from curator.models import Assistant, Solver

    with standing_in(lambda question, _before: completion("I cannot say.")) as weak:
        endpoints.create_endpoint(kind=Solver, project=bank, name="weak", base_url=weak.url, model="w")
        tried = command("probe_solver", "ledger", "--solver", "weak", "--samples", 2)
        again = command("probe_solver", "ledger", "--solver", "weak", "--samples", 2)
    with standing_in(lambda *_: completion("It says nothing.\nNo")) as strict:
        endpoints.create_endpoint(kind=Assistant, project=bank, name="strict", base_url=strict.url, model="s")
        graded = command("grade", "ledger", "--assistant", "strict", "--max-cost", "1")

    questions = bank.questions.count()
    assert (tried["asked"], tried["stored"], tried["right"], again["stored"]) == (
        2 * questions,
        2 * questions,
        0,
        0,
    )
    assert (graded["stored"], graded["failed"], graded["right"]) == (2 * questions, 0, 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("probe_solver", "ledger", "--solver", "weak"), "no solver “weak” (there is: none); add it on"),
        (("grade", "ledger", "--assistant", "strict"), "no assistant “strict” (there is: none); add it on"),
    ],
)
def test_a_model_that_is_not_there_is_named(project, refused, words, sentence):
    assert sentence in refused(*words)
