"""Traces as their makers lay them out: which column holds what, and one row as replies to a question."""

from curator.core.layouts.columns import (
    FIELDS,
    GIVEN,
    LAYOUTS,
    PAIRED,
    PLAIN,
    QUESTION_FIELDS,
    WAYS,
    Layout,
    NoTraces,
    Recognised,
    complete_mapping,
    look_like_traces,
    makers,
    parse_trace_mapping,
    recognise,
)
from curator.core.layouts.replies import Fault, NoTrace, Sample, TraceRow, read_trace_row

__all__ = [
    "FIELDS",
    "GIVEN",
    "LAYOUTS",
    "PAIRED",
    "PLAIN",
    "QUESTION_FIELDS",
    "WAYS",
    "Fault",
    "Layout",
    "NoTrace",
    "NoTraces",
    "Recognised",
    "Sample",
    "TraceRow",
    "complete_mapping",
    "look_like_traces",
    "makers",
    "parse_trace_mapping",
    "read_trace_row",
    "recognise",
]
