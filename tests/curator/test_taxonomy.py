"""A syllabus read from a file: codes, names, parents and weights, whole or not at all."""

import pytest

from common.core.refusal import Refusal
from curator.models import Domain
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


def test_a_code_alone_is_its_own_name(make_project, read_in):
    project = make_project()

    read_in(project, "code\nA\n")

    assert shown(project) == [("A", "A", "", None)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "syllabus.csv is empty"),
        ("name,weight\nAssets,1\n", "syllabus.csv has no column “code”; it has name, weight."),
        ("code,name\nA,Assets\n,Debts\n", "Row 3 has no code; give it one."),
        ("code,weight\nA,1\nB,heavy\n", "Row 3: the weight “heavy” is no number."),
        ("code,weight\nA,1\nB,-1\n", "Row 3: the weight -1.0 is not 0 or more."),
        ("code,weight\nA,1\nB,nan\n", "Row 3: the weight nan is not 0 or more."),
        ("code,weight\nA,1\nB,inf\n", "Row 3: the weight inf is not 0 or more."),
        ("code,parent\nA,\nB,Z\n", "Row 3 names the parent “Z”, which is not in the file."),
        ("code,parent\nA,A\n", "Row 2: “A” would be its own ancestor."),
        ("code,parent\nA,B\nB,A\n", "Row 3: “B” would be its own ancestor."),
        ("code,parent\nA,B\nB,C\nC,A\n", "Row 4: “C” would be its own ancestor."),
        ("code,name\nA,One\nB,Two\nA,Three\n", "Row 4: the code “A” stands in row 2 already"),
        ("code,name\n" + "x" * 101 + ",Long\n", "Row 2: the code has 101 characters, more than 100"),
        ("code,name\nA," + "x" * 201 + "\n", "Row 2: the name has 201 characters, more than 200"),
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
