"""Two versions held against each other."""

from hypothesis import given
from hypothesis import strategies as st

from curator.core.versions import DomainLine, Held, compare

OLD = [Held("a", "1", "tax"), Held("b", "1", "tax"), Held("c", "1", "law")]


def test_rows_are_added_removed_or_have_another_trace():
    new = [Held("d", "1", "law"), Held("b", "2", "tax"), Held("c", "1", "law")]

    found = compare(OLD, new)

    assert (found.added, found.removed, found.changed, found.same) == (("d",), ("a",), ("b",), 1)
    assert found.by_domain == (DomainLine("tax", 0, 1, 1, 0), DomainLine("law", 1, 0, 0, 1))


def test_a_version_differs_from_itself_in_nothing():
    found = compare(OLD, OLD)

    assert (found.added, found.removed, found.changed, found.same) == ((), (), (), 3)


ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.sampled_from("12"), st.sampled_from(["", "x", "y"]))
).map(lambda rows: [Held(key, *rest) for key, rest in rows.items()])


@given(ROWS, ROWS)
def test_every_row_is_counted_once_and_the_other_way_round_added_is_removed(old, new):
    found, back = compare(old, new), compare(new, old)

    assert len(found.added) + len(found.changed) + found.same == len(new)
    assert len(found.removed) + len(found.changed) + found.same == len(old)
    assert (set(found.added), set(found.changed)) == (set(back.removed), set(back.changed))
    assert sum(line.added + line.changed + line.same for line in found.by_domain) == len(new)
