"""What can be wrong with a file, and how much of one is read."""

import json

from common.core.refusal import Refusal

LARGEST_BYTES = 2 * 1024**3  # unpacked; a file that grows past this while it is read is refused
LARGEST_WHOLE = 256 * 1024**2  # of what must be held in memory whole: one JSON value, a packed workbook …
TIGHTEST = 300  # times its size that a packed file may unpack to, once it is past LOOSE_BYTES
LOOSE_BYTES = 64 * 1024**2
LONGEST_FIELD = 10_000_000  # characters of one cell
LONGEST_LINE = 32 * 1024**2  # bytes of one record
MOST_COLUMNS = 500
MOST_ROWS = 5_000_000
MOST_CELLS = 30_000_000


class NoTable(Refusal):
    """A file is no table that can be read; the message says what it is and what to do.

    `may_be_misread` tells whether another encoding, separator, header row or sheet could mend it.
    """

    may_be_misread = False


class Misread(NoTable):
    """What a person said of a file does not fit it, or its encoding is none that is found out."""

    may_be_misread = True


class EmptyFile(NoTable):
    """A file holds nothing."""


class NotATable(NoTable):
    """A file is of a kind that holds no table, or is damaged beyond reading."""


class TruncatedFile(NoTable):
    """A packed file ends before its content does."""


class TooLarge(NoTable):
    """A file unpacks to more than is allowed, or has too many rows or columns."""


class HeaderOnly(NoTable):
    """A file has column names and no rows."""

    may_be_misread = True


class DuplicateColumn(NoTable):
    """Two columns of a file have one name."""

    may_be_misread = True


class BrokenRow(NoTable):
    """One row of a file cannot be read, so that no later one can be trusted."""

    may_be_misread = True


class BrokenRecord(BrokenRow):
    """One row of a file is no JSON, however it is read."""

    may_be_misread = False


class SeveralTables(NoTable):
    """An archive holds several tables, and none was chosen."""


# What Python's reader of JSON says of a fault, and what a person reads; the first that it begins with counts.
_JSON_FAULTS = {
    "Expecting value": "a value is missing",
    "Expecting property name": "a name in double quotes is missing, or there is a comma too many",
    "Illegal trailing comma": "there is a comma too many",
    "Expecting ':'": "a colon is missing after a name",
    "Expecting ','": "a comma or a closing bracket is missing",
    "Unterminated string": "a quote is opened and never closed",
    "Invalid control character": "a text holds a line end or another control character; write it as \\n",
    "Invalid \\escape": "a backslash stands alone in a text; write it twice",
    "Invalid \\uXXXX": "four hexadecimal digits are missing after \\u",
    "Extra data": "something follows the end of the value",
}


def json_fault(error: Exception, *, in_one_line: bool = False) -> str:
    """Return what is wrong with JSON as part of a sentence, with its line, if there are several, and its character."""
    if isinstance(error, RecursionError):
        return "lists are nested too deep"
    if not isinstance(error, json.JSONDecodeError):
        return "a number has too many digits"
    fault = next((said for begin, said in _JSON_FAULTS.items() if error.msg.startswith(begin)), error.msg)
    if in_one_line:  # whose end is no line of its own
        return f"character {min(error.pos, len(error.doc.rstrip())) + 1:,}: {fault}"
    return f"line {error.lineno:,}, character {error.colno:,}: {fault}"
