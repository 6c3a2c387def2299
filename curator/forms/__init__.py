"""A request as checked values; nothing here saves."""

from curator.forms.benchmarks import BenchmarkForm
from curator.forms.choices import ANY, LANGUAGES
from curator.forms.pools import ROLES, MappingForm, PoolForm, UploadForm
from curator.forms.questions import KeyForm, QuestionFilterForm, StandingForm
from curator.forms.reviews import AdjudicationForm, JudgementForm
from curator.forms.selections import METHOD_WORDS, FreezeForm, SelectionForm
from curator.forms.teachers import EndpointForm, OrderForm, ProbeForm, TraceFileForm

__all__ = [
    "ANY",
    "LANGUAGES",
    "METHOD_WORDS",
    "ROLES",
    "AdjudicationForm",
    "BenchmarkForm",
    "EndpointForm",
    "FreezeForm",
    "JudgementForm",
    "KeyForm",
    "MappingForm",
    "OrderForm",
    "PoolForm",
    "ProbeForm",
    "QuestionFilterForm",
    "SelectionForm",
    "StandingForm",
    "TraceFileForm",
    "UploadForm",
]
