"""From pools of questions to a frozen dataset: the tables, and what a row knows about itself."""

from curator.models.answers import (
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
from curator.models.copies import CopySearch, NearCopy
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
from curator.models.reviews import Adjudication, Review
from curator.models.selections import Decision, QualityPattern, Selection
from curator.models.taxonomy import HASH_LENGTH, Domain, DomainRule
from curator.models.trials import Trial

__all__ = [
    "HASH_LENGTH",
    "RATINGS",
    "Adjudication",
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
    "Embedder",
    "Embedding",
    "Endpoint",
    "Grade",
    "Grading",
    "Import",
    "Leak",
    "NearCopy",
    "Order",
    "Pool",
    "Probe",
    "QualityPattern",
    "Question",
    "QuestionEdit",
    "QuestionWords",
    "RememberedMapping",
    "Review",
    "RowReport",
    "Selection",
    "Solver",
    "SpotCheck",
    "Standing",
    "StoredReply",
    "Teacher",
    "ThinkingForm",
    "Trace",
    "TraceImport",
    "Trial",
    "Verdict",
]
