"""From pools of questions to a frozen dataset: the tables, and what a row knows about itself."""

from curator.models.answers import (
    ANSWERS,
    Answer,
    Answering,
    Attempt,
    ChosenTrace,
    Collection,
    Probe,
    StoredReply,
    Trace,
    TraceImport,
    Verdict,
)
from curator.models.benchmarks import Benchmark, BenchmarkItem, Leak
from curator.models.classification import Classification, Embedding
from curator.models.copies import CopySearch, Lookalike, NearCopy
from curator.models.datasets import Dataset, DatasetRow
from curator.models.endpoints import Assistant, Embedder, Endpoint, Solver, Teacher, ThinkingForm
from curator.models.grading import Grade, Grading, SpotCheck
from curator.models.orders import Order
from curator.models.pools import Import, Pool, RememberedMapping, RowReport
from curator.models.questions import (
    RATINGS,
    CopyRuling,
    DomainSource,
    Question,
    QuestionEdit,
    QuestionWords,
    Standing,
)
from curator.models.queues import Lease, Queue, QueueItem, QueueMember
from curator.models.reviews import (
    COMMON_REASONS,
    Adjudication,
    Doubt,
    Draft,
    Flag,
    Reason,
    Remark,
    Review,
    ReviewChange,
    Scale,
    TraceEdit,
)
from curator.models.selections import Decision, QualityPattern, Selection
from curator.models.taxonomy import HASH_LENGTH, Domain, DomainRule
from curator.models.trials import Trial

__all__ = [
    "ANSWERS",
    "COMMON_REASONS",
    "HASH_LENGTH",
    "RATINGS",
    "Adjudication",
    "Answer",
    "Answering",
    "Assistant",
    "Attempt",
    "Benchmark",
    "BenchmarkItem",
    "ChosenTrace",
    "Classification",
    "Collection",
    "CopyRuling",
    "CopySearch",
    "Dataset",
    "DatasetRow",
    "Decision",
    "Domain",
    "DomainRule",
    "DomainSource",
    "Doubt",
    "Draft",
    "Embedder",
    "Embedding",
    "Endpoint",
    "Flag",
    "Grade",
    "Grading",
    "Import",
    "Leak",
    "Lease",
    "Lookalike",
    "NearCopy",
    "Order",
    "Pool",
    "Probe",
    "QualityPattern",
    "Question",
    "QuestionEdit",
    "QuestionWords",
    "Queue",
    "QueueItem",
    "QueueMember",
    "Reason",
    "Remark",
    "RememberedMapping",
    "Review",
    "ReviewChange",
    "RowReport",
    "Scale",
    "Selection",
    "Solver",
    "SpotCheck",
    "Standing",
    "StoredReply",
    "Teacher",
    "ThinkingForm",
    "Trace",
    "TraceEdit",
    "TraceImport",
    "Trial",
    "Verdict",
]
