"""Methods as data: stored, read again, and refused in a sentence where they cannot be used."""

import json

import pytest

from curator.core.method import BadMethod, Method, method_from


def test_a_method_survives_being_stored():
    method = Method("mine", draw="blueprint", patterns=("loop",), weights={"law": 2.0})

    assert method_from(json.loads(json.dumps(method.as_dict()))).as_dict() == method.as_dict()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("s2", "There is no method 's2'; there are s1-paper, s1-notebook"),
        ({}, "has no name"),
        ({"name": " "}, "has no name"),
        ({"name": 5}, "has no name"),
        ({"name": "mine", "depth": 1}, "no field depth; it has bands, before_traces"),
        ({"name": "mine", "draw": "lottery"}, "'lottery' is not one of even-domains"),
        ({"name": "mine", "draw": ["all"]}, "is not one of even-domains"),
        ({"name": "mine", "quality": "no"}, "quality is 'no'; it is true or false"),
        ({"name": "mine", "most_passed": 25}, "most_passed is 25; it is a share"),
        ({"name": "mine", "most_passed": "a"}, "most_passed is 'a'; it is a share"),
        ({"name": "mine", "bands": 0}, "bands is 0; it is a whole number from 1 to 100"),
        ({"name": "mine", "bands": 2.5}, "bands is 2.5; it is a whole number"),
        ({"name": "mine", "bands": None}, "bands is None"),
        ({"name": "mine", "least_rating": 6}, "least_rating is 6; it is a whole number from 1 to 5"),
        ({"name": "mine", "combine": "some"}, "combine 'some' is not one of any, all"),
        (
            {"name": "mine", "difficulty_by": []},
            r"difficulty_by is \[\]; it is a list of passes, length, rating",
        ),
        ({"name": "mine", "difficulty_by": ["luck"]}, "it is a list of passes, length, rating"),
        (
            {"name": "mine", "difficulty_by": ["length"], "before_traces": True},
            "judges length before there are traces",
        ),
        ({"name": "mine", "first": {"AIME": "all"}}, "first of AIME is 'all'; it is a number, 0 or more"),
        ({"name": "mine", "even_share": 70}, "even_share is 70; it is a share"),
        ({"name": "mine", "patterns": ["ghost"]}, r"patterns are \['ghost'\]; it is a list of asymptote"),
        ({"name": "mine", "patterns": "loop"}, "it is a list of asymptote"),
        ({"name": "mine", "patterns": 5}, "it is a list of asymptote"),
        ({"name": "mine", "patterns": [["loop"]]}, "it is a list of asymptote"),
        ({"name": "mine", "weights": [1]}, "weights are no object"),
        ({"name": "mine", "weights": {"law": -1}}, "weight of law is -1; it is a number, 0 or more"),
        ({"name": "mine", "weights": {"law": float("nan")}}, "weight of law is nan"),
    ],
)
def test_a_method_that_cannot_be_used_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(BadMethod, match=sentence):
        method_from(given)


def test_a_projects_own_patterns_may_be_named_beside_the_built_in_ones():
    given = {"name": "mine", "patterns": ["loop", "house-style"]}

    assert method_from(given, own_patterns=["house-style"]).patterns == ["loop", "house-style"]
    with pytest.raises(BadMethod, match="house-style"):
        method_from(given)
