"""A question's words follow it, in batches, and are written once."""

import psycopg
import pytest
from django.db import connection

from curator.models import Question, QuestionWords
from curator.services import words


def found(query):
    """Return the numbers of the questions whose words answer a query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select question_id from curator_questionwords where words @@ to_tsquery('question_words', %s)",
            [query],
        )
        return {row[0] for row in cursor.fetchall()}


def test_words_of_both_languages_are_found_once_they_are_written(make_question):
    english = make_question(text="Which contracts are void?")
    chinese = make_question(text="下列合同无效的是", language="zh")
    assert found("contract") == set()

    written = words.write_missing_words()

    assert written == 2
    assert found("contract") == {english.pk}
    assert found("合 & 同") == {chinese.pk}


def test_words_are_written_once_and_only_where_they_are_missing(make_question):
    make_question()
    words.write_missing_words()
    newer = make_question()

    assert words.write_missing_words() == 1
    assert words.write_missing_words() == 0
    assert QuestionWords.objects.filter(question=newer).exists()


def test_words_that_were_made_without_options_are_made_anew(make_question):
    question = make_question(text="Which will is void?", options=["one without a notary", "无效"])
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into curator_questionwords (question_id, words) values (%s, question_words(%s))",
            [question.pk, question.text],
        )
    assert found("notary") == set()

    written = words.write_missing_words()

    assert written == 1
    assert found("notary") == found("无 & 效") == found("will:A & notary:D") == {question.pk}
    assert words.write_missing_words() == 0


@pytest.mark.parametrize("query", ["made", "option", "made & with & options", "project"])
def test_no_search_finds_the_mark_of_how_words_were_made(make_question, query):
    make_question()
    words.write_missing_words()

    assert found(query) == set()
    assert found(f"'{words.MARK}'") == set()


def test_batches_go_on_behind_each_other_up_to_the_limit(make_pool, make_question, monkeypatch):
    monkeypatch.setattr(words, "ROWS_AT_ONCE", 2)
    pool = make_pool()
    for _ in range(7):
        make_question(pool)

    assert words.write_missing_words(limit=3) == 3
    assert words.write_missing_words() == 4
    assert QuestionWords.objects.count() == Question.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_one_writer_is_enough(make_question):
    make_question()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("select pg_advisory_lock(%s)", [words.LOCK])

        assert words.write_missing_words() == 0
        other.execute("select pg_advisory_unlock(%s)", [words.LOCK])

    assert words.write_missing_words() == 1
