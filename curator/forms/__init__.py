"""A request as checked values; nothing here saves."""

from curator.forms.benchmarks import BenchmarkForm, LeakFilterForm, OverruleForm
from curator.forms.choices import ANY, LANGUAGES
from curator.forms.copies import CopySearchForm, RulingForm
from curator.forms.grading import GradingForm, SpotCheckForm
from curator.forms.pools import ROLES, FilesForm, MappingForm, PoolForm, UploadForm
from curator.forms.questions import (
    ChangeForm,
    KeyForm,
    QuestionFilterForm,
    QuestionForm,
    StandingForm,
    read_keys,
)
from curator.forms.reviews import AdjudicationForm, JudgementForm
from curator.forms.selections import METHOD_WORDS, FreezeForm, PatternForm, SelectionForm, TryForm, knobs_of
from curator.forms.taxonomy import (
    ClassificationForm,
    CorrectionForm,
    DomainForm,
    HeirForm,
    OutlineForm,
    RuleForm,
)
from curator.forms.teachers import EndpointForm, OrderForm, ProbeForm, TraceFileForm

__all__ = [
    "ANY",
    "LANGUAGES",
    "METHOD_WORDS",
    "ROLES",
    "AdjudicationForm",
    "BenchmarkForm",
    "ChangeForm",
    "ClassificationForm",
    "CopySearchForm",
    "CorrectionForm",
    "DomainForm",
    "EndpointForm",
    "FilesForm",
    "FreezeForm",
    "GradingForm",
    "HeirForm",
    "JudgementForm",
    "KeyForm",
    "LeakFilterForm",
    "MappingForm",
    "OrderForm",
    "OutlineForm",
    "OverruleForm",
    "PatternForm",
    "PoolForm",
    "ProbeForm",
    "QuestionFilterForm",
    "QuestionForm",
    "RuleForm",
    "RulingForm",
    "SelectionForm",
    "SpotCheckForm",
    "StandingForm",
    "TraceFileForm",
    "TryForm",
    "UploadForm",
    "knobs_of",
    "read_keys",
]
