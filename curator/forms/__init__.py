"""A request as checked values; nothing here saves."""

from curator.forms.benchmarks import AboutBenchmarkForm, BenchmarkForm, LeakFilterForm, OverruleForm
from curator.forms.best import RankingForm, TakeForm
from curator.forms.choices import ANY, LANGUAGES
from curator.forms.copies import CopySearchForm, RulingForm
from curator.forms.desk import FlagForm, ReasonForm, RemarkForm, RewriteForm, ScaleForm
from curator.forms.endpoints import EndpointForm, PresetForm
from curator.forms.exports import FORMAT_WORDS, ExportForm
from curator.forms.grading import GradingForm, SpotCheckForm
from curator.forms.pools import (
    ROLES,
    SEPARATORS,
    FilesForm,
    MappingForm,
    PoolForm,
    ReadingForm,
    UploadForm,
)
from curator.forms.questions import (
    ChangeForm,
    KeyForm,
    QuestionFilterForm,
    QuestionForm,
    StandingForm,
    read_keys,
)
from curator.forms.queues import AssignForm, QueueForm, QueueSettingsForm, WarmUpForm
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
from curator.forms.teachers import LimitForm, OrderForm, ProbeForm
from curator.forms.traces import LAYOUT_WORDS, TraceFileForm, TraceMappingForm
from curator.forms.trials import TrialForm

__all__ = [
    "ANY",
    "FORMAT_WORDS",
    "LANGUAGES",
    "LAYOUT_WORDS",
    "METHOD_WORDS",
    "ROLES",
    "SEPARATORS",
    "AboutBenchmarkForm",
    "AdjudicationForm",
    "AssignForm",
    "BenchmarkForm",
    "ChangeForm",
    "ClassificationForm",
    "CopySearchForm",
    "CorrectionForm",
    "DomainForm",
    "EndpointForm",
    "ExportForm",
    "FilesForm",
    "FlagForm",
    "FreezeForm",
    "GradingForm",
    "HeirForm",
    "JudgementForm",
    "KeyForm",
    "LeakFilterForm",
    "LimitForm",
    "MappingForm",
    "OrderForm",
    "OutlineForm",
    "OverruleForm",
    "PatternForm",
    "PoolForm",
    "PresetForm",
    "ProbeForm",
    "QuestionFilterForm",
    "QuestionForm",
    "QueueForm",
    "QueueSettingsForm",
    "RankingForm",
    "ReadingForm",
    "ReasonForm",
    "RemarkForm",
    "RewriteForm",
    "RuleForm",
    "RulingForm",
    "ScaleForm",
    "SelectionForm",
    "SpotCheckForm",
    "StandingForm",
    "TakeForm",
    "TraceFileForm",
    "TraceMappingForm",
    "TrialForm",
    "TryForm",
    "UploadForm",
    "WarmUpForm",
    "knobs_of",
    "read_keys",
]
