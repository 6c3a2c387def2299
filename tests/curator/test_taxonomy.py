"""A syllabus read from a file: codes, names, parents and weights, whole or not at all."""

import pytest

from common.core.refusal import Refusal
from curator import queries
from curator.core.taxonomy import write_outline
from curator.models import Domain, DomainRule, Question, QuestionEdit
from curator.services import taxonomy

SYLLABUS = "code,name,parent,weight\nA,Assets,,2\nA1,Cash,A,0.5\nB,Debts,,\n"


@pytest.fixture
def read_in(tmp_path):
    def read(project, text, file_name="syllabus.csv"):
        path = tmp_path / file_name
        path.write_text(text, encoding="utf-8")
        return taxonomy.import_taxonomy(project=project, path=path)

    return read


def shown(project):
    return [
        (domain.code, domain.name, domain.parent.code if domain.parent else "", domain.weight)
        for domain in project.domains.select_related("parent")
    ]


def test_domains_are_read_with_parent_and_weight(make_project, read_in):
    project = make_project()

    assert read_in(project, SYLLABUS) == 3
    assert shown(project) == [("A", "Assets", "", 2), ("A1", "Cash", "A", 0.5), ("B", "Debts", "", None)]


def test_a_second_file_renames_and_reweights_and_removes_nothing(make_project, read_in):
    project = make_project()
    read_in(project, SYLLABUS)

    read_in(project, "code,name,weight\nB,Liabilities,3\nC,Equity,1\n")

    assert [row[:2] for row in shown(project)] == [
        ("A", "Assets"),
        ("A1", "Cash"),
        ("B", "Liabilities"),
        ("C", "Equity"),
    ]


def test_headings_may_be_chinese_and_a_parent_may_come_later(make_project, read_in):
    project = make_project()

    read_in(project, "编号,名称,上级,权重\n1.1,现金,1,40\n1,资产,,60\n")

    assert shown(project) == [("1", "资产", "", 60), ("1.1", "现金", "1", 40)]


def test_a_column_that_the_file_lacks_changes_nothing(make_project, read_in):
    project = make_project()
    read_in(project, SYLLABUS)

    read_in(project, "code\nA\nA1\nB\n")

    assert shown(project) == [("A", "Assets", "", 2), ("A1", "Cash", "A", 0.5), ("B", "Debts", "", None)]


def test_an_empty_cell_of_a_column_empties_it(make_project, read_in):
    project = make_project()
    read_in(project, SYLLABUS)

    read_in(project, "code,parent,weight\nA1,,\n")

    assert shown(project)[1] == ("A1", "Cash", "", None)


def test_a_parent_may_be_named_by_its_name_and_a_weight_be_a_percentage(make_project, read_in):
    project = make_project()

    read_in(project, "Domain_Code,Topic,Belongs to,Share\n1,Assets,,60%\n1.1,Cash,Assets,5\n")

    assert shown(project) == [("1", "Assets", "", 60), ("1.1", "Cash", "1", 5)]


def test_empty_rows_between_others_are_passed_over(make_project, read_in):
    project = make_project()

    assert read_in(project, "code,name\nA,Assets\n,\nB,Debts\n") == 2


def test_five_levels_are_read_in_any_order(make_project, read_in):
    project = make_project()

    read_in(project, "code,parent\nE,D\nD,C\nC,B\nB,A\nA,\n")

    assert [(branch.domain.code, branch.depth) for branch in queries.get_taxonomy(project)] == [
        ("A", 0), ("B", 1), ("C", 2), ("D", 3), ("E", 4),
    ]  # fmt: skip


def test_a_taxonomy_without_end_is_refused(make_project, read_in, monkeypatch):
    monkeypatch.setattr(taxonomy, "MOST_DOMAINS", 2)

    with pytest.raises(Refusal, match="would have 3 domains; at most 2"):
        read_in(make_project(), "code\nA\nB\nC\n")


def test_a_code_alone_is_its_own_name(make_project, read_in):
    project = make_project()

    read_in(project, "code\nA\n")

    assert shown(project) == [("A", "A", "", None)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "syllabus.csv is empty"),
        ("name,weight\nAssets,1\n", "syllabus.csv has no column “code”; it has name, weight."),
        ("code,name\nA,Assets\n,Debts\n", "Row 3, column “code”: it is empty; give the domain a code."),
        ("code,weight\nA,1\nB,heavy\n", "Row 3, column “weight”: the weight “heavy” is no number."),
        ("编号,权重\nA,1\nB,重\n", "Row 3, column “权重”: the weight “重” is no number."),
        ("code,weight\nA,1\nB,-1\n", "Row 3, column “weight”: the weight “-1” is not 0 or more."),
        ("code,weight\nA,1\nB,nan\n", "the weight “nan” is not 0 or more."),
        ("code,weight\nA,1\nB,inf\n", "the weight “inf” is not 0 or more."),
        ("code,parent\nA,\nB,Z\n", "Row 3, column “parent”: there is no domain “Z”"),
        ("code,parent\nA,A\n", "Row 2, column “parent”: “A” would be its own ancestor"),
        ("code,parent\nA,B\nB,A\n", "“A” would be its own ancestor; give it another parent."),
        ("code,parent\nX,A\nA,B\nB,C\nC,A\n", "Row 3, column “parent”: “A” would be its own ancestor"),
        ("code,name\nA,One\nB,Two\nA,Three\n", "Row 4, column “code”: the code “A” stands in 2 already"),
        ("code,name\n" + "x" * 101 + ",Long\n", "Row 2, column “code”: “xxxxxxxxxxxxxxxxxxxx…” has 101"),
        ("code,name\nA," + "x" * 201 + "\n", "Row 2, column “name”: “xxxxxxxxxxxxxxxxxxxx…” has 201"),
    ],
)
def test_a_file_with_a_fault_leaves_the_taxonomy_as_it_was(make_project, read_in, text, sentence):
    project = make_project()
    Domain.objects.create(project=project, code="old", name="Old")

    with pytest.raises(Refusal) as refused:
        read_in(project, text)

    assert sentence in str(refused.value)
    assert shown(project) == [("old", "Old", "", None)]


def test_hostile_names_are_made_harmless(make_project, read_in):
    project = make_project()

    read_in(project, '[{"code": "A\\u0000", "name": "<|im_start|>\\ud800x"}]', "syllabus.json")

    assert shown(project) == [("A", "<im_start>x", "", None)]


# --- a whole tree, typed ---


@pytest.fixture
def tree(make_project, make_pool, make_question):
    """Return a project with a tree of three levels, and a question in each domain."""
    project = make_project()
    Domain.objects.create(project=project, code="1", name="Assets", weight=60)
    parent = Domain.objects.create(project=project, code="2", name="Debts", weight=40)
    child = Domain.objects.create(project=project, code="2.1", name="Loans", parent=parent)
    Domain.objects.create(project=project, code="2.1.1", name="Mortgages", parent=child)
    pool = make_pool(project)
    for domain in project.domains.all():
        make_question(pool, domain=domain, domain_source="file")
    return project


def typed(project, text, by=None):
    plan = taxonomy.plan_outline(project=project, text=text)
    return taxonomy.apply_outline(project=project, text=text, digest=plan.digest, by=by)


def test_a_typed_tree_becomes_the_taxonomy(make_project):
    project = make_project()

    typed(project, "1 资产 60\n  1.1 现金\n2 负债 40%\n")

    assert shown(project) == [("1", "资产", "", 60), ("1.1", "现金", "1", None), ("2", "负债", "", 40)]


def test_a_plan_says_what_changes_and_changes_nothing(tree):
    before = shown(tree)

    plan = taxonomy.plan_outline(project=tree, text="1 All assets 50\n  2 Debts 40\n3 Equity")

    assert [node.code for node in plan.changes.added] == ["3"]
    assert [new.name for _old, new in plan.changes.renamed] == ["All assets"]
    assert [new.parent for _old, new in plan.changes.moved] == ["1"]
    assert [new.weight for _old, new in plan.changes.reweighed] == [50]
    assert [(node.code, count, heir) for node, count, heir in plan.moving] == [
        ("2.1", 1, "2"),
        ("2.1.1", 1, "2"),
    ]
    assert shown(tree) == before


def test_questions_of_removed_domains_go_to_the_nearest_ancestor_that_stays_or_to_other(tree, make_user):
    expert = make_user()

    typed(tree, "1 Assets 60", by=expert)

    assert [row[0] for row in shown(tree)] == ["1", "other"]
    assert tree.questions.filter(domain__code="other", domain_source="file").count() == 3
    edits = QuestionEdit.objects.filter(changed_by=expert, field="domain", after="other")
    assert sorted(edits.values_list("before", flat=True)) == ["2", "2.1", "2.1.1"]


def test_a_tree_typed_as_it_is_changes_nothing(tree):
    text = write_outline(queries.get_nodes(tree))

    assert not taxonomy.plan_outline(project=tree, text=text).changes


def test_the_bucket_other_stays_though_it_is_not_typed(tree):
    typed(tree, "1 Assets")

    assert not taxonomy.plan_outline(project=tree, text="1 Assets").changes


def test_a_plan_for_another_taxonomy_or_text_is_not_carried_out(tree):
    plan = taxonomy.plan_outline(project=tree, text="1 Assets")
    before = shown(tree)

    with pytest.raises(Refusal, match="look at the changes again"):
        taxonomy.apply_outline(project=tree, text="1 Debts", digest=plan.digest, by=None)
    assert shown(tree) == before
    tree.domains.filter(code="1").update(weight=1)
    with pytest.raises(Refusal, match="look at the changes again"):
        taxonomy.apply_outline(project=tree, text="1 Assets", digest=plan.digest, by=None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("A a\n\nA b", "Line 3: the code “A” stands in 1 already"),
        ("A a -1", "Line 1: the weight “-1” is not 0 or more."),
        ("A " + "x" * 201, "Line 1: “xxxxxxxxxxxxxxxxxxxx…” has 201 characters"),
    ],
)
def test_a_fault_in_a_typed_tree_is_told_with_its_line(make_project, text, sentence):
    with pytest.raises(Refusal) as refused:
        taxonomy.plan_outline(project=make_project(), text=text)

    assert sentence in str(refused.value)


# --- one domain ---


def domain_of(project, code):
    return project.domains.get(code=code)


def test_a_domain_is_added_renamed_moved_and_reweighed(tree):
    made = taxonomy.save_domain(project=tree, code="3", name="Equity", weight=5)

    taxonomy.save_domain(
        project=tree, domain=made, code="3.0", name="Own funds", parent=domain_of(tree, "1"), weight=None
    )

    assert shown(tree)[-1] == ("3.0", "Own funds", "1", None)
    assert len(shown(tree)) == 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"code": "1"}, "There is a domain with the code “1” already."),
        ({"code": ""}, "A code has 1 to 100 characters."),
        ({"code": "x" * 101}, "A code has 1 to 100 characters."),
        ({"code": "2", "name": "x" * 201}, "Name: “xxxxxxxxxxxxxxxxxxxx…” has 201 characters"),
        ({"code": "2", "weight": -1.0}, "Weight: the weight “-1.0” is not 0 or more."),
        ({"code": "2", "parent": "2.1.1"}, "Parent: “2” would be its own ancestor"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(tree, change, sentence):
    before = shown(tree)
    parent = domain_of(tree, change.pop("parent")) if "parent" in change else None

    with pytest.raises(Refusal) as refused:
        taxonomy.save_domain(project=tree, domain=domain_of(tree, "2"), parent=parent, **change)

    assert sentence in str(refused.value)
    assert shown(tree) == before


def test_a_domain_with_questions_goes_only_when_it_is_said_where_they_go(tree):
    with pytest.raises(Refusal, match="say where they should go"):
        taxonomy.remove_domain(domain=domain_of(tree, "2.1"), by=None)

    assert taxonomy.remove_domain(domain=domain_of(tree, "2.1"), heir="parent", by=None) == 1

    assert shown(tree)[-1] == ("2.1.1", "Mortgages", "2", None)
    assert tree.questions.filter(domain__code="2").count() == 2


def test_questions_of_a_removed_domain_can_go_to_other(tree):
    taxonomy.remove_domain(domain=domain_of(tree, "1"), heir="other", by=None)

    assert tree.questions.filter(domain__code="other").count() == 1


def test_an_empty_domain_just_goes(tree):
    Question.objects.filter(domain__code="1").delete()

    assert taxonomy.remove_domain(domain=domain_of(tree, "1"), by=None) == 0
    assert "1" not in [row[0] for row in shown(tree)]
    assert "other" not in [row[0] for row in shown(tree)]


def test_a_top_domain_has_no_parent_to_take_its_questions(tree):
    with pytest.raises(Refusal, match="has no parent"):
        taxonomy.remove_domain(domain=domain_of(tree, "1"), heir="parent", by=None)


def test_the_bucket_is_not_removed_while_it_holds_questions(tree):
    taxonomy.remove_domain(domain=domain_of(tree, "1"), heir="other", by=None)

    with pytest.raises(Refusal, match="sort them first"):
        taxonomy.remove_domain(domain=domain_of(tree, "other"), heir="other", by=None)


# --- its rules ---


def test_a_rule_keeps_its_words_in_normal_form(tree):
    rule = taxonomy.add_rule(domain=domain_of(tree, "1"), words="  Cash、ＢＡＮＫ deposit，现金; cash")

    assert rule.words == "cash, bank deposit, 现金"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (" , ;", "Type at least one word"),
        (",".join(f"word{number}" for number in range(100)), "make two rules of them"),
        ("cash", "This rule is there already."),
    ],
)
def test_a_rule_that_says_nothing_new_is_refused(tree, words, sentence):
    taxonomy.add_rule(domain=domain_of(tree, "1"), words="cash")

    with pytest.raises(Refusal, match=sentence):
        taxonomy.add_rule(domain=domain_of(tree, "1"), words=words)

    assert DomainRule.objects.count() == 1


def test_there_is_an_end_to_the_words_of_a_project(tree, monkeypatch):
    monkeypatch.setattr(taxonomy, "MOST_PHRASES", 2)
    taxonomy.add_rule(domain=domain_of(tree, "1"), words="cash, bank")

    with pytest.raises(Refusal, match="2 words and phrases"):
        taxonomy.add_rule(domain=domain_of(tree, "2"), words="loan")


# --- what the page reads ---


def test_the_tree_counts_questions_with_all_that_is_below_and_who_put_them_there(
    tree, make_pool, make_question
):
    pool = make_pool(tree)
    make_question(pool, domain=domain_of(tree, "2.1"), domain_source="rules", domain_confidence=0.4)
    make_question(pool, domain=domain_of(tree, "2.1"), domain_source="expert")
    make_question(pool)

    branches = {branch.domain.code: branch for branch in queries.get_taxonomy(tree)}

    assert branches["2"].questions == 1
    assert branches["2"].below == queries.Counted(questions=5, file=3, machine=1, expert=1, unsure=1)
    assert branches["1"].share == pytest.approx(0.6)
    assert branches["2.1"].share is None
    assert queries.count_unlabelled(tree) == 1


def test_confidences_fall_into_ten_steps(tree, make_pool, make_question):
    assert queries.get_confidences(tree) == []
    pool = make_pool(tree)
    for confidence in (0.0, 0.05, 0.55, 1.0):
        make_question(
            pool, domain=domain_of(tree, "1"), domain_source="nearest", domain_confidence=confidence
        )

    steps = queries.get_confidences(tree)

    assert [step.questions for step in steps] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_hits_of_words_are_counted_as_the_rules_will_match_them(tree, make_pool, make_question):
    pool = make_pool(tree)
    first = make_question(pool, text="What is an income\ntax?")
    make_question(pool, text="Taxis are yellow", options=["Income tax", "none"], domain=domain_of(tree, "1"))

    hits = queries.get_word_hits(tree, "income tax, 所得税")

    assert (hits.questions, hits.unlabelled) == (2, 1)
    assert hits.examples[0] == (first.pk, first.text)
    rule = taxonomy.add_rule(domain=domain_of(tree, "1"), words="tax")
    assert queries.get_rule_hits(domain_of(tree, "1")) == {rule.pk: 2}
