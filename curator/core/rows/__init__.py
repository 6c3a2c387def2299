"""A row of any file as a question, or the sentence that refuses it."""

from curator.core.rows.columns import Column, read_table
from curator.core.rows.names import (
    FIELDS,
    BadMapping,
    MissingColumn,
    check_fields,
    full_mapping,
    guess_mapping,
    parse_mapping,
)
from curator.core.rows.questions import (
    LONGEST_NAME,
    LONGEST_TAG,
    LONGEST_TEXT,
    MOST_OPTIONS,
    MOST_TAGS,
    SHOWN_TEXT,
    QuestionRow,
    Rejected,
    read_row,
)

__all__ = [
    "FIELDS",
    "LONGEST_NAME",
    "LONGEST_TAG",
    "LONGEST_TEXT",
    "MOST_OPTIONS",
    "MOST_TAGS",
    "SHOWN_TEXT",
    "BadMapping",
    "Column",
    "MissingColumn",
    "QuestionRow",
    "Rejected",
    "check_fields",
    "full_mapping",
    "guess_mapping",
    "parse_mapping",
    "read_row",
    "read_table",
]
