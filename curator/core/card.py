"""A dataset's card: README.md as the Hugging Face hub expects it, with its header in YAML.

Source: huggingface_hub, repository cards; the hub's list of size categories and its form of `dataset_info`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from curator.core.licences import Condition, Together

QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_WORDS = {
    Condition.ATTRIBUTION: "name the source",
    Condition.SHARE_ALIKE: "pass on under the same licence (share-alike)",
    Condition.NON_COMMERCIAL: "no commercial use",
    Condition.NO_DERIVATIVES: "no derivatives",
    Condition.NO_TRAINING: "no training of models, or of competing ones",
    Condition.NO_REDISTRIBUTION: "no redistribution",
    Condition.UNKNOWN: "not known, so nothing may be taken for granted",
}


@dataclass(frozen=True)
class Described:
    """A frozen version with all that its card tells; `card` is what was kept when it was frozen."""

    name: str
    content_hash: str
    rows: int
    frozen_on: str
    card: Mapping[str, Any]
    together: Together
    parent_hash: str = ""
    features: Sequence[Mapping[str, str]] = ()
    size_bytes: int = 0  # of the rows unpacked, once they were written


def lengths(numbers: Sequence[int]) -> dict[str, float]:
    """Return least, most, mean and quantiles by nearest rank of numbers, none where there are none."""
    if not numbers:
        return {}
    ordered = sorted(numbers)
    middle = {name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in QUANTILES.items()}
    mean = round(sum(ordered) / len(ordered), 1)
    return {"least": ordered[0], **middle, "most": ordered[-1], "mean": mean}


def count_domains(codes: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return how many rows each domain has, given as code and name, the largest first."""
    counts = Counter(codes)
    return [
        {"code": code, "name": name, "rows": rows}
        for (code, name), rows in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def size_category(rows: int) -> str:
    """Return the hub's name for how large a dataset is."""
    return next((name for limit, name in _SIZES if rows < limit), "10M<n<100M")


def readme(of: Described) -> str:
    """Return README.md: the header for the hub, then sections for people."""
    header = yaml.safe_dump(_header(of), sort_keys=False, allow_unicode=True, width=1000)
    sections = (
        _opening,
        _licences,
        _sources,
        _teachers,
        _making,
        _content,
        _judging,
        _decontamination,
        _limits,
        _identity,
    )
    body = "\n\n".join("\n".join(section(of)) for section in sections)
    return f"---\n{header}---\n\n{body}\n"


def _header(of: Described) -> dict[str, Any]:
    licences = of.together.hub_ids
    languages = sorted(each for each in of.card.get("languages", {}) if each)
    header: dict[str, Any] = {"license": licences[0] if len(licences) == 1 else licences}
    if languages:
        header["language"] = languages
    return header | {
        "pretty_name": of.name,
        "size_categories": [size_category(of.rows)],
        "task_categories": ["question-answering", "text-generation"],
        "tags": ["reasoning", "chain-of-thought", "synthetic"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "data/train.parquet"}]}
        ],
        "dataset_info": {
            "features": [dict(feature) for feature in of.features],
            "splits": [{"name": "train", "num_bytes": of.size_bytes, "num_examples": of.rows}],
            "dataset_size": of.size_bytes,
        },
    }


def escaped(text: Any) -> str:
    """Return people's words as one line of Markdown in which nothing is markup."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield "|" + " --- |" * len(titles)
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"


def _opening(of: Described) -> Iterator[str]:
    right = of.card.get("right")
    yield f"# {escaped(of.name)}"
    yield ""
    share = f", {right:,} of them with an answer that agrees with the key" if right is not None else ""
    yield f"{of.rows:,} questions, each with one reasoning trace{share}. Frozen on {of.frozen_on}; it never changes."
    if branch := of.parent_hash:
        yield f"It was branched from version `{branch}`."


def _licences(of: Described) -> Iterator[str]:
    hardest = of.together.most_restrictive
    yield "## Licences"
    yield ""
    yield f"Most restrictive condition of all sources: **{_WORDS[hardest] if hardest else 'none'}**."
    if hardest:
        yield ""
        yield from (
            f"- {_WORDS[condition]}: {', '.join(escaped(source.name) for source in of.together.asking(condition))}"
            for condition in of.together.conditions
        )
    for one, other in of.together.clashes:
        yield ""
        yield (
            f"{one} and {other} cannot both hold for one work. Each row keeps its own licence (column `licence`); "
            "do not put the whole under a single one."
        )


def _sources(of: Described) -> Iterator[str]:
    yield "## Sources"
    yield ""
    pools = [source for source in of.together.sources if source.kind == "pool"]
    origins = {pool["name"]: pool.get("provenance", "") for pool in of.card.get("pools", ())}
    rows = [(it.name, it.licence.name or "unknown", f"{it.rows:,}", origins.get(it.name, "")) for it in pools]
    yield from _table(("Pool", "Licence", "Rows", "Where it comes from"), rows)


def _teachers(of: Described) -> Iterator[str]:
    stand_ins = set(of.card.get("stand_in_teachers", ()))
    yield "## Teachers"
    yield ""
    teachers = [source for source in of.together.sources if source.kind == "teacher"]
    rows = [
        (
            f"{it.name} (a stand-in: a program that plays a model)" if it.name in stand_ins else it.name,
            f"{it.rows:,}",
            it.licence.name or "nothing noted",
        )
        for it in teachers
    ]
    yield from _table(("Teacher", "Traces", "Terms of its output"), rows)


def _making(of: Described) -> Iterator[str]:
    card = of.card
    yield "## How it was made"
    yield ""
    if method := card.get("method"):
        yield f"Method `{escaped(method.get('name', ''))}`, size {card.get('size')}, seed {card.get('seed')}."
        yield ""
    funnel = [(step["stage"], f"{step['kept']:,}", f"{step['dropped']:,}") for step in card.get("funnel", ())]
    if funnel:
        yield from _table(("Stage", "Kept", "Dropped"), funnel)
        yield ""
    yield f"Left out by reviewers: {card.get('rejected', 0):,}."
    if chosen := card.get("chosen_by_experts"):
        yield f"Traces that an expert put before the one drawn: {chosen:,}."
    if edited := card.get("edited"):
        yield f"Traces that a person put right: {edited:,}."


def _content(of: Described) -> Iterator[str]:
    yield "## Content"
    yield ""
    domains = [
        (line["name"] or line["code"] or "no domain", f"{line['rows']:,}")
        for line in of.card.get("domains", ())
    ]
    if domains:
        yield from _table(("Domain", "Rows"), domains)
        yield ""
    if tokens := of.card.get("tokens"):
        yield from _table(("Thinking tokens", *tokens), [("", *(f"{value:,}" for value in tokens.values()))])


def _judging(of: Described) -> Iterator[str]:
    card = of.card
    yield "## Correctness and review"
    yield ""
    if of.rows and card.get("right") is not None:
        yield f"Answers that agree with the key: {card['right']:,} of {of.rows:,} ({card['right'] / of.rows:.1%})."
    if card.get("instructive"):
        yield f"Accepted by a reviewer though the answer is wrong, for what they teach: {card['instructive']:,}."
    yield f"Traces that somebody judged: {card.get('reviewed', 0):,} of {of.rows:,}; reviewers: {card.get('reviewers', 0):,}."
    found = card.get("agreement_measured")
    if not found or found["percent"] is None:
        yield "Agreement of reviewers is not defined: no trace was judged by two of them."
        return
    low, high = found["percent_interval"]
    yield (
        f"Pairs of judgements that agree: {found['percent']:.1%} ({low:.1%} to {high:.1%}) of {found['pairs']:,}; "
        f"Cohen's kappa {_figure(found['kappa'])}, Krippendorff's alpha {_figure(found['alpha'])}."
    )


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _decontamination(of: Described) -> Iterator[str]:
    yield "## Decontamination"
    yield ""
    found = of.card.get("decontamination")
    if not found or not found["benchmarks"]:
        yield "No benchmark was held against the pools."
        return
    rows = [(it["name"], f"{it['items']:,}", it["hash"][:12]) for it in found["benchmarks"]]
    yield from _table(("Benchmark", "Items", "Hash"), rows)
    yield ""
    yield f"Questions left out because a benchmark holds them: {found['left_out']:,}."
    yield f"Rows in which a benchmark was found, and that a person let in: {found['let_in']:,}."


def _limits(of: Described) -> Iterator[str]:
    yield "## Known limits"
    yield ""
    yield from (f"- {each}" for each in limits(of) or ["None was recorded."])


def limits(of: Described) -> list[str]:
    """Return what a user of the dataset should know before trusting it, a sentence each."""
    card, said = of.card, []
    if card.get("stand_in_teachers"):
        names = ", ".join(escaped(name) for name in card["stand_in_teachers"])
        said.append(f"These teachers are stand-ins, programs that play a model: {names}.")
    if scripted := card.get("scripted_reviews"):
        said.append(f"{scripted:,} judgements were made by a script that stood in for an expert.")
    if unread := max(0, of.rows - card.get("reviewed", 0)):
        said.append(f"{unread:,} of {of.rows:,} traces were judged by nobody.")
    if wrong := max(0, of.rows - card.get("right", of.rows)):
        said.append(f"{wrong:,} answers do not agree with the key, or could not be compared with it.")
    if not (card.get("decontamination") or {}).get("benchmarks"):
        said.append("It was not held against any benchmark.")
    if Condition.UNKNOWN in of.together.conditions:
        said.append("The licence or the terms of some sources are not known.")
    return said


def _identity(of: Described) -> Iterator[str]:
    card = of.card
    yield "## Identity and loading"
    yield ""
    yield f"SHA-256 over the canonical rows: `{of.content_hash}`."
    yield "It is what `sha256sum` prints of this version as JSON Lines."
    yield ""
    for name, value in (card.get("lineage") or {}).items():
        if isinstance(value, str):
            yield f"- {escaped(name.replace('_', ' '))}: `{escaped(value)}`"
        else:
            yield from (f"- {escaped(name.replace('_', ' '))}: {escaped(_named(each))}" for each in value)
    versions = ", ".join(f"{name} {version}" for name, version in card.get("versions", {}).items())
    if versions:
        yield f"- code: {escaped(card.get('code_version', ''))}; {escaped(versions)}"
    yield ""
    yield "```python"
    yield "from datasets import load_dataset"
    yield ""
    yield 'rows = load_dataset("path/to/this/folder", split="train")'
    yield "```"


def _named(line: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in line.items())
