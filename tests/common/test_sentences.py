"""What the cores say in English, found again and said in Chinese; and no sentence of theirs is missing."""

import ast
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, override

from common.jobs import JobState
from common.sentences import LONGEST, catalogue, in_every_language, in_readers_language, matching
from common.sentences.catalogue import ENDPOINT, FAULTS, OF_FAULTS, PHRASES, RULES, SENTENCES, STAGES
from common.sentences.matching import PLACEHOLDER, sentences_of
from curator.models import Import, RowReport
from curator.readers import packed

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"


@pytest.fixture
def in_chinese():
    assert COMPILED.is_file(), "run `make setup`: it compiles the translations"
    with override("zh-hans"):
        yield


def said(text):
    with override("zh-hans"):
        return in_readers_language(text)


def filled(template, values):
    return PLACEHOLDER.sub(lambda found: values[found[1]] if found[1] else "%", template)


def values_of(template):
    """Return a value for each placeholder: a number where one is due, and else words of nobody's."""
    places = [found for found in PLACEHOLDER.finditer(template) if found[1]]
    return {
        found[1]: f"{place + 1},001" if found[2] == "d" else f"«甲{place}»"
        for place, found in enumerate(places)
    }


# --- what is said ---


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("The row is empty; delete it.", "此行为空；请删除。"),
        ("It shares a passage with the benchmark AIME 2024.", "它与基准卷 AIME 2024 有相同的段落。"),
        (
            "It shares a passage with the benchmark Part 1. Algebra.",
            "它与基准卷 Part 1. Algebra 有相同的段落。",
        ),
        (
            "Its key is disputed: files differ, or a reviewer doubts it. An expert can settle that.",
            "其标准答案有争议：各文件说法不一，或有评审人提出质疑。可由专家裁定。",
        ),
        (
            "Solvers pass it: 3 of 4 tries. No expert has rated it.",
            "求解模型能答对：4 次尝试中答对 3 次。尚无专家评定其难度。",
        ),
        (
            "a.csv is a picture, not a table; save it as CSV, XLSX, JSON or Parquet.",
            "a.csv 是图片，不是表格；请存为 CSV、XLSX、JSON 或 Parquet。",
        ),
        (
            "Row 3 of the dataset cannot be trained on: it has no thinking to learn from; leave it out.",
            "数据集的第 3 行无法用于训练：其中没有可供学习的思考过程；请去掉此行。",
        ),
        ("Loud noises. The row is empty; delete it.", "Loud noises. 此行为空；请删除。"),
        ("  The row is empty; delete it.\n", "此行为空；请删除。"),
    ],
)
def test_a_sentence_is_said_in_chinese_with_its_values(in_chinese, english, chinese):
    assert in_readers_language(english) == chinese


def test_the_counts_of_a_funnel_are_said_one_by_one(in_chinese):
    english = (
        "No question passed the criteria (1,000 in the pool, 980 dropped by trace, 20 dropped by right, 0 left); "
        "collect traces, or choose a milder method."
    )

    assert in_readers_language(english) == (
        "没有题目通过各项标准（题库中 1,000 道，因“有推理轨迹”去掉 980 道，因“答对”去掉 20 道，剩下 0 道）；"
        "请收集推理轨迹，或选择较宽松的方法。"
    )


def test_a_value_that_looks_like_a_list_of_phrases_stays_a_persons_own(in_chinese):
    english = "Drawn 1 of 2 by a picture (even): 3 of the 4 left in 5 left, a picture."

    assert in_readers_language(english) == (
        "由 a picture（even）抽中，为 2 道中的第 1 道：5 left, a picture 中剩下的 4 道里的 3 道。"
    )


def test_what_services_said_in_a_worker_is_said_too(in_chinese):
    assert in_readers_language("The same question stands in row 12 of this file.") == (
        "相同的题目在此文件的第 12 行。"
    )


def test_an_endpoints_fault_is_said_with_its_reason(in_chinese):
    english = "Kimi at https://a.example/v1 gave no answer: nothing answers there; is the server running?"

    assert in_readers_language(english) == (
        "位于 https://a.example/v1 的 Kimi 没有给出回答：那里没有响应；服务器在运行吗？"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "A sentence of nobody's.",
        "已经是中文。",
        "The benchmark",
        "%(name)s",
        "An expert rates it x, and y is asked for.",
    ],
)
def test_what_is_no_sentence_of_ours_stays_as_it_is(in_chinese, text):
    assert in_readers_language(text) == text


def test_in_english_everything_stays_as_it_is():
    with override("en"):
        assert in_readers_language("The row is empty; delete it.") == "The row is empty; delete it."


def test_a_report_holds_both_languages_once():
    with override("en"):
        both = in_every_language("The row is empty; delete it.")
        own = in_every_language("A sentence of nobody's.")

    assert both == "The row is empty; delete it. / 此行为空；请删除。"
    assert own == "A sentence of nobody's."


@pytest.mark.parametrize(
    "value", ["%(benchmark)s", "100 %s %d %%", "{0.__class__}", r"\1 \g<0>", "\0", "a\nb"]
)
def test_a_value_is_never_a_format(in_chinese, value):
    assert (
        in_readers_language(f"It shares a passage with the benchmark {value}.")
        == f"它与基准卷 {value} 有相同的段落。"
    )


def test_a_page_escapes_the_values(in_chinese):
    page = Template("{{ reason|said }}")
    reason = "It shares a passage with the benchmark <script>x</script>."

    shown = page.render(Context({"reason": reason}))

    assert shown == "它与基准卷 &lt;script&gt;x&lt;/script&gt; 有相同的段落。"


def test_a_safe_text_makes_no_equal_text_safe(in_chinese):
    page = Template("{{ reason|said }}")
    text = "<b>nobody's</b>"

    in_readers_language(mark_safe(text))
    shown = [page.render(Context({"reason": each})) for each in (mark_safe(text), text)]

    assert shown == [text, "&lt;b&gt;nobody&#x27;s&lt;/b&gt;"]


@pytest.mark.parametrize("template", [*SENTENCES, *(f"{ENDPOINT} {fault}" for fault in FAULTS)])
def test_every_template_is_found_again_with_its_own_values(in_chinese, template):
    values = values_of(template)
    fault = template.removeprefix(f"{ENDPOINT} ")
    translated = f"{gettext(ENDPOINT)} {gettext(fault)}" if fault in FAULTS else gettext(template)

    assert in_readers_language(filled(template, values)) == filled(translated, values)
    assert translated != template


def test_a_page_of_a_thousand_new_reasons_is_said_in_a_moment(in_chinese):
    in_readers_language("so that the catalogue is read")
    texts = [f"file-{place}.csv, row {place}, has an ending of its own." for place in range(500)]
    texts += [
        f"Drawn {place} of 1,000 by s1 (even): 3 of the {place} left in Law {place}." for place in range(500)
    ]

    began = time.perf_counter()
    for text in texts:
        in_readers_language(text)

    assert time.perf_counter() - began < 1  # 0.04 s where it was measured


@pytest.mark.parametrize(
    "part",
    [
        "is empty; export it again. ",
        "x, line 3, cannot be read (a); check its quotes. ",
        "a b. ",
        ", row ",
        "(",
        " ",
    ],
)
def test_a_text_made_to_be_slow_is_not(in_chinese, part):
    in_readers_language("so that the catalogue is read")
    text = (part * LONGEST)[:LONGEST]

    began = time.perf_counter()
    in_readers_language(text)

    assert time.perf_counter() - began < 1


def test_a_forms_errors_are_said_in_chinese(in_chinese):
    form = forms.Form({})
    form.add_error(None, "The row is empty; delete it.")

    assert str(form.non_field_errors()) == ('<ul class="errorlist nonfield"><li>此行为空；请删除。</li></ul>')


@pytest.mark.django_db
def test_pages_say_in_chinese_what_was_kept_in_english(client, make_pool):
    pool = make_pool()
    kept = {"file_name": "a.csv", "file_path": "", "mapping": {"question": "题目"}}
    failure = "a.csv is a program, not a table; save it as CSV, XLSX, JSON or Parquet."
    kept["finished_at"] = kept["started_at"] = timezone.now()
    failed = Import.objects.create(pool=pool, state=JobState.FAILED, failure=failure, **kept)
    done = Import.objects.create(
        pool=pool, state=JobState.SUCCEEDED, note="The column names are in row 2.", **kept
    )
    RowReport.objects.create(
        imported_by=done, kind="rejected", row_number=7, column="分值", reason="The row is empty; delete it."
    )
    client.force_login(pool.project.members.get())

    shown = [
        client.get(job.get_absolute_url(), headers={"Accept-Language": "zh-hans"}).text
        for job in (failed, done)
    ]

    assert "a.csv 是程序，不是表格；请存为 CSV、XLSX、JSON 或 Parquet。" in shown[0]
    assert "列名在第 2 行。" in shown[1]
    assert shown[1].count("此行为空；请删除。") == 2  # among the reasons, and at its row


# --- no sentence is missing ---

WALKED = ("common", "curator", "training", "evaluation")
# The terminal and the card that goes with an exported dataset speak English, settings and migrations to nobody.
UNHEARD = ("card.py", "management", "migrations", "admin.py", "commands.py", "settings.py", "sentences")
BUGS = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "KeyError", "NotImplementedError"}
TOLD_TO_NOBODY = {"compile", "write", "warning", "info", "debug", "exception", "execute", "Http404", "RawSQL"}
TRANSLATED = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"}
VALUE = "\0"


def called(node):
    """Return the name of what a node calls, or ""."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", "") or getattr(function, "attr", "")


def is_silent(node):
    return called(node) in BUGS | TOLD_TO_NOBODY | TRANSLATED


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def strings(node) -> Iterator[ast.AST]:
    """Yield each string of a tree that may be said to somebody."""
    if is_docstring(node) or is_silent(node):
        return
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from strings(child)


def constants_of(tree):
    """Return the strings that a module names, and the nodes of those."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and len(node.targets) == 1]
    return {
        node.targets[0].id: node.value
        for node in assigned
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant | ast.JoinedStr)
    }


def shapes(node, named) -> list[str]:
    """Return what a string may be, each value a mark: of both where it is either of two strings."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else [VALUE]
    if isinstance(node, ast.FormattedValue):
        return shapes(node.value, named)
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in product(*(shapes(part, named) for part in node.values))]
    if isinstance(node, ast.IfExp):
        return [*shapes(node.body, named), *shapes(node.orelse, named)]
    if isinstance(node, ast.Name) and node.id in named:
        return shapes(named[node.id], {})
    return [VALUE]


def is_sentence(shape):
    """Tell a sentence from a name, an expression, a query and a prompt: it has words, and an end."""
    if "\n" in shape or "\\" in shape or "(?:" in shape:
        return False
    words = re.findall(r"[A-Za-z']{2,}", shape)
    return len(words) >= 2 and bool(re.search(r"[.?][)”]?$|[a-z\0)]; [a-z]+ ", shape.strip()))


def shape_of(template):
    return PLACEHOLDER.sub(lambda found: VALUE if found[1] else "%", template)


TO_A_MODEL = ("You are Qwen", "A shop sells pens")
BEGUN_WITH_WORDS = [matching.Template(each, "") for each in SENTENCES]
TEMPLATES = {shape_of(each) for each in (*SENTENCES, *PHRASES)}


def is_catalogued(shape):
    whole = shape.strip()
    return (
        whole in TEMPLATES
        or whole.startswith(TO_A_MODEL)
        or all(part in TEMPLATES or is_with_value(part) for part in sentences_of(whole))
    )


def is_with_value(text):
    """Tell whether a text without values is of a template that begins with its own words."""
    return VALUE not in text and any(
        each.literals[0] and each.is_whole(text) is not None for each in BEGUN_WITH_WORDS
    )


def modules():
    for package in WALKED:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not any(part in UNHEARD for part in path.relative_to(ROOT).parts):
                yield path


def missing_in(source, name="core.py"):
    """Return the sentences of a module that are neither translated where they are said nor catalogued."""
    tree = ast.parse(source)
    named = constants_of(tree)
    joined = {
        id(named[node.value.id])
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue)
        and isinstance(node.value, ast.Name)
        and node.value.id in named
    }
    return [
        f"{name}:{node.lineno}: {shape.replace(VALUE, '%(…)s')}"
        for node in strings(tree)
        for shape in shapes(node, named)
        if is_sentence(shape) and not is_catalogued(shape) and id(node) not in joined
    ]


def test_every_sentence_that_is_said_in_english_alone_stands_in_the_catalogue():
    missing = [
        each for path in modules() for each in missing_in(path.read_text(), str(path.relative_to(ROOT)))
    ]

    assert not missing, (
        "These are said in English alone. Wrap each in gettext; or, in a module that knows no Django, add it to "
        "common/sentences/catalogue.py, each value as %(name)s or, a number, as %(name)d, and translate it:\n"
        + "\n".join(missing)
    )


def test_the_walk_sees_a_sentence_wherever_it_stands():
    source = '''
UNHEARD = "A constant that nobody knows."
def found(name, rows):
    """Return nothing; a docstring is no sentence."""
    if rows:
        raise Refusal(f"{name} has {len(rows)} rows and no end; mend it.")
    return f"It is {'new' if rows else 'old'} for everybody."
'''

    found = missing_in(source)

    assert found == [
        "core.py:2: A constant that nobody knows.",
        "core.py:6: %(…)s has %(…)s rows and no end; mend it.",
        "core.py:7: It is new for everybody.",
        "core.py:7: It is old for everybody.",
    ]


def test_the_walk_passes_over_what_nobody_is_told():
    source = """
def found(name):
    logger.warning("The queue is not there; it goes on.")
    re.compile("[a-z]; [a-z] end.")
    raise ValueError(f"{name} is no name; mend the caller.")
    raise Refusal(_("The interface says this; it is translated."))
    raise Refusal("The row is empty; delete it.")
"""

    assert missing_in(source) == []


def test_every_rule_of_the_marking_stands_in_the_catalogue():
    sources = [ROOT / "common/core" / f"{name}.py" for name in ("answers", "formula_agreement", "quantities")]
    found = [
        node.value
        for path in [*sources, ROOT / "curator/core/verdicts.py"]
        for node in strings(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z]+(?:,? [a-z]+){1,6}", node.value)
    ]

    assert len(found) > 20
    assert sorted({rule for rule in found if rule not in RULES}) == []


def test_every_stage_of_the_funnel_has_its_words():
    source = ast.parse((ROOT / "curator/core/selection.py").read_text())
    told = {
        case.value.value
        for match in ast.walk(source)
        if isinstance(match, ast.Match) and getattr(match.subject, "id", "") == "stage"
        for case in ast.walk(match)
        if isinstance(case, ast.MatchValue)
    }

    assert told
    assert sorted(told - STAGES.keys()) == []


def test_every_kind_of_file_that_is_no_table_is_a_phrase():
    assert packed._BINARY
    assert sorted(set(packed._BINARY.values()) - set(PHRASES)) == []


def test_every_fault_of_an_endpoint_is_known_without_its_subject():
    found = {
        node.args[0].value
        for path in sorted((ROOT / "common/endpoints").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if called(node) in TRANSLATED and isinstance(node.args[0], ast.Constant)
    }
    begun = {each for each in found if each[0].islower()}

    assert begun
    assert sorted(begun - {*FAULTS, *OF_FAULTS}) == []


def test_a_template_stands_once_and_no_two_values_touch():
    names = [
        name for name in vars(catalogue) if name.isupper() and name not in ("SENTENCES", "HOLDS_PHRASES")
    ]
    listed = [
        each for name in names if isinstance(vars(catalogue)[name], tuple) for each in vars(catalogue)[name]
    ]
    unique = set(listed)

    assert [each for each in SENTENCES if SENTENCES.count(each) > 1] == []
    assert [each for each in unique if re.search(r"\)[sd]%\(", each)] == []


# Sentences of which only a part, or a value, stands in the code.
MADE_OTHERWISE = {
    "It shares a passage with the benchmark %(benchmark)s.",  # of selections made before items were named
    "It is a near copy of another question, which is kept in its place.",
    "In mainland China the address is %(address)s.",
    "%(taken)d of the %(there)d left in (no domain)",
}


def shapes_in(path):
    """Yield what each string of a module may be, whole and sentence by sentence."""
    tree = ast.parse(path.read_text())
    named = constants_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            for shape in map(shape_of, shapes(node, named)):
                yield from (shape.strip(), *sentences_of(shape.strip()))


def test_the_catalogue_holds_nothing_that_nobody_says():
    told = {shape for path in modules() for shape in shapes_in(path)}

    unsaid = {each for each in (*SENTENCES, *PHRASES) if shape_of(each) not in told}

    assert sorted(unsaid - MADE_OTHERWISE) == []
