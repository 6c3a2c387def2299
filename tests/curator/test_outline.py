"""A typed tree: read as it was meant, written so that it reads back, and compared with another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.core.taxonomy import (
    Node,
    changes_between,
    cycle_in,
    nearest_kept,
    read_outline,
    shares_of,
    walk,
    weight_of,
    write_outline,
)

NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"]), min_size=1, max_size=12)
WEIGHTS = st.none() | st.floats(0, 1e6)


def read(text):
    return [(entry.code, entry.name, entry.parent, entry.weight) for entry in read_outline(text)]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("A Assets", [("A", "Assets", "", "")]),
        ("A Current assets 40", [("A", "Current assets", "", "40")]),
        ("A Current assets 40%", [("A", "Current assets", "", "40%")]),
        ("A 40", [("A", "", "", "40")]),
        ("A", [("A", "", "", "")]),
        ("1 资产 60\n  1.1 现金 10\n2 负债", [("1", "资产", "", "60"), ("1.1", "现金", "1", "10"), ("2", "负债", "", "")]),
        ("1 资产\n\u30001.1 现金", [("1", "资产", "", ""), ("1.1", "现金", "1", "")]),
        ("A a\n\tB b\n\t\tC c\n\tD d", [("A", "a", "", ""), ("B", "b", "A", ""), ("C", "c", "B", ""), ("D", "d", "A", "")]),
        ("A a\n\n    B b\n  C c", [("A", "a", "", ""), ("B", "b", "A", ""), ("C", "c", "A", "")]),
        ('"Financial law" "Grade 10"', [("Financial law", "Grade 10", "", "")]),
        ('G "Grade 10" 3', [("G", "Grade 10", "", "3")]),
        ("G Grade ten -", [("G", "Grade ten", "", "-")]),
        ("", []),
        ("\n  \n", []),
    ],
)  # fmt: skip
def test_a_line_is_a_code_a_name_and_a_weight_below_the_line_that_is_indented_less(text, entries):
    assert read(text) == entries


def test_an_entry_knows_its_line_as_a_person_counts():
    assert [entry.place for entry in read_outline("A a\n\nB b")] == [1, 3]


@pytest.mark.parametrize(
    ("text", "weight"), [("40", 40), ("0.5", 0.5), ("30%", 30), ("３０％", 30), ("heavy", None), ("", None)]
)
def test_a_weight_is_a_number_or_a_percentage(text, weight):
    assert weight_of(text) == weight


@given(st.lists(st.tuples(NAMES, NAMES, WEIGHTS, st.integers(0, 5)), max_size=8))
def test_a_tree_that_was_written_reads_back_as_it_was(rows):
    nodes: dict[str, Node] = {}
    for code, name, weight, above in rows:
        parents = ["", *nodes]
        code, name = " ".join(code.split()), " ".join(name.split())
        if code and name and code not in nodes:
            nodes[code] = Node(code, name, parents[above % len(parents)], weight)

    back = [
        Node(entry.code, entry.name, entry.parent, weight_of(entry.weight))
        for entry in read_outline(write_outline(nodes.values()))
    ]

    assert {node.code: node for node in back} == nodes


def test_codes_are_in_the_order_in_which_people_count_and_other_comes_last():
    nodes = [Node(code, code) for code in ["other", "1.10", "2", "1.9", "zoo"]] + [Node("1.9.1", "x", "1.9")]

    assert [(node.code, depth) for node, depth in walk(nodes, last="other")] == [
        ("1.9", 0),
        ("1.9.1", 1),
        ("1.10", 0),
        ("2", 0),
        ("zoo", 0),
        ("other", 0),
    ]


@pytest.mark.parametrize(
    ("parents", "found"),
    [
        ({}, ""),
        ({"A": "", "B": "A", "C": "B"}, ""),
        ({"A": "A"}, "A"),
        ({"A": "", "B": "D", "C": "B", "D": "C"}, "B"),
    ],
)
def test_a_code_that_is_its_own_ancestor_is_found(parents, found):
    assert cycle_in(parents) == found


def test_weights_become_shares_among_siblings():
    nodes = [Node("A", "", "", 30), Node("B", "", "", 10), Node("C", "", ""), Node("A1", "", "A", 0.0)]

    assert shares_of(nodes) == {"A": 0.75, "B": 0.25, "A1": 0.0}


def test_what_changes_between_two_trees_is_named_by_kind():
    before = [Node("A", "Assets", "", 1), Node("B", "Debts", "A"), Node("C", "Old")]
    after = [Node("A", "All assets", "", 2), Node("B", "Debts"), Node("D", "New", "A")]

    changes = changes_between(before, after)

    assert [node.code for node in changes.added] == ["D"]
    assert [new.name for _old, new in changes.renamed] == ["All assets"]
    assert [(old.parent, new.parent) for old, new in changes.moved] == [("A", "")]
    assert [(old.weight, new.weight) for old, new in changes.reweighed] == [(1, 2)]
    assert [node.code for node in changes.removed] == ["C"]
    assert not changes_between(before, before)


@pytest.mark.parametrize(("code", "kept"), [("A1a", "A"), ("A", "A"), ("B1", ""), ("Z", "")])
def test_what_is_removed_falls_to_the_nearest_ancestor_that_stays(code, kept):
    parents = {"A": "", "A1": "A", "A1a": "A1", "B": "", "B1": "B"}

    assert nearest_kept(code, parents, ["A"]) == kept
