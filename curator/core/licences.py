"""What the licences of sources and the terms of teachers ask together, and what they forbid.

A licence is known by its SPDX id, by the names in which data sets carry it, or by the words that people use;
whatever is not known counts as the most restrictive of all. Nothing here is legal advice: it tells which
conditions were written down, and stops what they plainly forbid.

Source: SPDX licence list; Creative Commons, "Compatible Licenses" and the legal codes 3.0 and 4.0, section 3(b).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from curator.core.presets import PRESETS


class Condition(StrEnum):
    """What a licence asks or forbids, from the mildest to the most restrictive."""

    ATTRIBUTION = "attribution"
    SHARE_ALIKE = "share-alike"
    NON_COMMERCIAL = "non-commercial"
    NO_DERIVATIVES = "no derivatives"
    NO_TRAINING = "no training of models"
    NO_REDISTRIBUTION = "no redistribution"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What an export is for."""

    OWN = "own"  # stays with the project's people and on the machines that train for them
    SHARE = "share"  # given or published to others, for nothing
    SELL = "sell"


_NOT_TO_SHARE = (
    Condition.NO_DERIVATIVES,
    Condition.NO_TRAINING,
    Condition.NO_REDISTRIBUTION,
    Condition.UNKNOWN,
)
# A row is a question with a trace that others wrote to it, which is a derivative of the question.
FORBIDDEN = {
    Purpose.OWN: frozenset[Condition](),
    Purpose.SHARE: frozenset(_NOT_TO_SHARE),
    Purpose.SELL: frozenset({*_NOT_TO_SHARE, Condition.NON_COMMERCIAL}),
}


@dataclass(frozen=True)
class Licence:
    """What one licence asks; `id` is its SPDX id, "" where it has none or is not known."""

    name: str
    id: str = ""
    conditions: frozenset[Condition] = frozenset()

    @property
    def most_restrictive(self) -> Condition | None:
        """Return the hardest of its conditions, or None where it asks for nothing."""
        return max(self.conditions, key=_rank, default=None)


def _rank(condition: Condition) -> int:
    return tuple(Condition).index(condition)


def ranked(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return conditions from the most restrictive to the mildest."""
    return tuple(sorted(set(conditions), key=_rank, reverse=True))


_BY = frozenset({Condition.ATTRIBUTION})
_SA = _BY | {Condition.SHARE_ALIKE}
_FREE: frozenset[Condition] = frozenset()

# SPDX id → what it asks. The hub's and other short names stand in _OTHER_NAMES.
_KNOWN: dict[str, frozenset[Condition]] = {
    "CC0-1.0": _FREE,
    "PDDL-1.0": _FREE,
    "Unlicense": _FREE,
    "0BSD": _FREE,
    "WTFPL": _FREE,
    "MIT-0": _FREE,
    "MIT": _BY,
    "Apache-2.0": _BY,
    "BSD-2-Clause": _BY,
    "BSD-3-Clause": _BY,
    "ISC": _BY,
    "BSL-1.0": _BY,
    "AFL-3.0": _BY,
    "Artistic-2.0": _BY,
    "Zlib": _BY,
    "ODC-By-1.0": _BY,
    "CDLA-Permissive-1.0": _BY,
    "CDLA-Permissive-2.0": _BY,
    "MulanPSL-2.0": _BY,
    "OGL-UK-3.0": _BY,
    "etalab-2.0": _BY,
    "ODbL-1.0": _SA,
    "CDLA-Sharing-1.0": _SA,
    "GFDL-1.3-or-later": _SA,
    "GPL-2.0-only": _SA,
    "GPL-3.0-only": _SA,
    "GPL-3.0-or-later": _SA,
    "LGPL-3.0-only": _SA,
    "AGPL-3.0-only": _SA,
    "MPL-2.0": _SA,
    "EUPL-1.2": _SA,
    "EPL-2.0": _SA,
}
_OTHER_NAMES = {
    "cc0": "CC0-1.0",
    "cc zero": "CC0-1.0",
    "public domain": "CC0-1.0",
    "公有领域": "CC0-1.0",
    "pddl": "PDDL-1.0",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "mit license": "MIT",
    "mit licence": "MIT",
    "bsd": "BSD-3-Clause",
    "odc by": "ODC-By-1.0",
    "odc by 1.0": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "gfdl": "GFDL-1.3-or-later",
    "gfdl 1.3": "GFDL-1.3-or-later",
    "gpl": "GPL-3.0-or-later",
    "gpl 2.0": "GPL-2.0-only",
    "gpl 3.0": "GPL-3.0-only",
    "lgpl 3.0": "LGPL-3.0-only",
    "agpl 3.0": "AGPL-3.0-only",
    "open government licence": "OGL-UK-3.0",
    "ogl": "OGL-UK-3.0",
    "木兰": "MulanPSL-2.0",
}
# A project's own questions: nobody else's conditions hold.
_OWN = frozenset({"own", "own work", "our own", "ours", "self made", "自有", "自编", "原创", "自建"})
_CC_PARTS = {
    "by": Condition.ATTRIBUTION,
    "sa": Condition.SHARE_ALIKE,
    "nc": Condition.NON_COMMERCIAL,
    "nd": Condition.NO_DERIVATIVES,
}
_CC = re.compile(r"(?:cc|creative commons)((?: (?:by|sa|nc|nd))+)(?: (\d(?:\.\d)?))?(?: ([a-z]{2,4}))?")
_CC_WORDS = (
    (re.compile(r"creative commons attribution"), "cc by"),
    (re.compile(r"\bshare ?alike\b"), "sa"),
    (re.compile(r"\bnon ?commercial\b"), "nc"),
    (re.compile(r"\bno ?deriv(?:ative)?s?\b"), "nd"),
    (re.compile(r"\b(?:international|unported|licen[cs]e|public)\b"), " "),
)
_SAID = (
    (
        re.compile(
            r"non ?commercial|not for commercial|no commercial|非商业|非商用|不得商用|不可商用|禁止商用"
        ),
        Condition.NON_COMMERCIAL,
    ),
    (
        re.compile(
            r"research (?:use )?only|academic (?:use )?only|仅供研究|仅供学术|仅限研究|只作研究|科研用途"
        ),
        Condition.NON_COMMERCIAL,
    ),
    (
        re.compile(
            r"no ?re ?distribut|not (?:be )?re ?distribut|do not (?:re)?distribut|all rights reserved|proprietary"
            r"|confidential|internal use|private|禁止转载|不得转载|不得再分发|禁止传播|不得传播|版权所有|内部使用|保密"
        ),
        Condition.NO_REDISTRIBUTION,
    ),
    (re.compile(r"no ?derivative|不得改编|禁止演绎|禁止改作"), Condition.NO_DERIVATIVES),
    (
        re.compile(
            r"(?:forbid|prohibit|no|not)\b[^.]{0,60}\b(?:train|distil|compet|develop models)|不得(?:用于)?训练|禁止训练"
        ),
        Condition.NO_TRAINING,
    ),
)
_OPERATOR = re.compile(r"\s+(and|or)\s+", re.IGNORECASE)
_BY_ID = {name.casefold().replace("-", " "): name for name in _KNOWN}
# A licence that material under the first may be put under; of Creative Commons' also every later version.
_MAY_BECOME = {
    ("CC-BY-SA-4.0", "GPL-3.0-only"),
    ("CC-BY-SA-4.0", "GPL-3.0-or-later"),
    ("GPL-2.0-only", "GPL-2.0-only"),
    ("GPL-3.0-only", "AGPL-3.0-only"),
    ("GPL-3.0-or-later", "GPL-3.0-only"),
    ("GPL-3.0-or-later", "AGPL-3.0-only"),
    ("LGPL-3.0-only", "GPL-3.0-only"),
    ("LGPL-3.0-only", "AGPL-3.0-only"),
    ("MPL-2.0", "GPL-3.0-only"),
    ("MPL-2.0", "AGPL-3.0-only"),
}


def licence_from(text: str) -> Licence:
    """Return what a licence as somebody wrote it asks; an expression joined by AND or OR is read part by part.

    Of an OR the part that asks for less holds, of an AND all of them do. What is not known asks for UNKNOWN,
    beside the conditions that its words name.
    """
    parts = _OPERATOR.split(text.strip())
    joints = {joint.casefold() for joint in parts[1::2]}
    read = [_one(part) for part in parts[::2]]
    if len(joints) != 1 or any(Condition.UNKNOWN in each.conditions for each in read):
        return _one(text)
    if joints == {"or"}:
        return min(read, key=lambda each: sorted(map(_rank, each.conditions), reverse=True))
    return Licence(text, "", frozenset().union(*(each.conditions for each in read)))


def _one(text: str) -> Licence:
    plain = re.sub(r"[\s_\-/()]+", " ", text.casefold()).strip()
    if plain in _OWN:
        return Licence(text, "", _FREE)
    if known := _BY_ID.get(plain) or _OTHER_NAMES.get(plain):
        return Licence(text, known, _KNOWN[known])
    return _creative_commons(text, plain) or Licence(text, "", _conditions_said(plain) | {Condition.UNKNOWN})


def _creative_commons(text: str, plain: str) -> Licence | None:
    """Return a Creative Commons licence, written short or in full, or None."""
    for pattern, short in _CC_WORDS:
        plain = pattern.sub(short, plain)
    found = _CC.fullmatch(re.sub(r"\s+", " ", plain).strip())
    if not found or "by" not in found[1].split():
        return None
    asked = set(found[1].split())
    parts = "-".join(part for part in ("by", "nc", "nd", "sa") if part in asked).upper()
    version = found[2] if found[2] and "." in found[2] else f"{found[2] or 4}.0"
    named = f"CC-{parts}-{version}" + (f"-{found[3].upper()}" if found[3] else "")
    return Licence(text, named, frozenset(_CC_PARTS[part] for part in asked))


def _conditions_said(plain: str) -> frozenset[Condition]:
    return frozenset(condition for pattern, condition in _SAID if pattern.search(plain))


def terms_from(text: str) -> Licence:
    """Return what a teacher's terms ask: a provider's note as we wrote it, a licence, or somebody's own words."""
    for preset in PRESETS:
        if preset.terms_note == text and preset.permits_training is not None:
            asked = _FREE if preset.permits_training else frozenset({Condition.NO_TRAINING})
            return Licence(preset.name, "", asked)
    return licence_from(text)


@dataclass(frozen=True)
class Source:
    """Where some of the rows come from: a pool with its licence, or a teacher with its terms."""

    kind: str  # "pool" or "teacher"
    name: str
    licence: Licence
    rows: int


@dataclass(frozen=True)
class Together:
    """What all sources ask together."""

    sources: tuple[Source, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return every condition of any source, the most restrictive first."""
        return ranked(condition for source in self.sources for condition in source.licence.conditions)

    @property
    def most_restrictive(self) -> Condition | None:
        """Return the hardest condition of all, or None where nothing is asked."""
        return next(iter(self.conditions), None)

    def asking(self, condition: Condition) -> tuple[Source, ...]:
        """Return the sources that ask for a condition."""
        return tuple(source for source in self.sources if condition in source.licence.conditions)

    def against(self, purpose: Purpose) -> tuple[tuple[Source, tuple[Condition, ...]], ...]:
        """Return the sources that forbid a purpose, and by which conditions."""
        forbidding = FORBIDDEN[purpose]
        found = ((source, ranked(source.licence.conditions & forbidding)) for source in self.sources)
        return tuple((source, conditions) for source, conditions in found if conditions)

    @property
    def clashes(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of licences of pools that cannot hold for one work: a share-alike with another."""
        licences = {source.licence.id: source.licence for source in self.sources if source.licence.id}
        pairs = combinations(sorted(licences), 2)
        return tuple(pair for pair in pairs if _clash(licences[pair[0]], licences[pair[1]]))

    @property
    def hub_ids(self) -> list[str]:
        """Return the licences as the Hugging Face hub names them; "other" for what it cannot know."""
        pools = [source.licence for source in self.sources if source.kind == "pool"]
        return sorted({_hub_id(licence) for licence in pools}) or ["unknown"]


def _clash(one: Licence, other: Licence) -> bool:
    if not any(Condition.SHARE_ALIKE in each.conditions for each in (one, other)):
        return False
    return not (_may_become(one, other) or _may_become(other, one))


def _may_become(one: Licence, other: Licence) -> bool:
    """Tell whether what stands under one licence may be put under the other."""
    if (one.id, other.id) in _MAY_BECOME:
        return True
    if Condition.SHARE_ALIKE not in one.conditions:
        return one.conditions <= other.conditions
    same_kind = one.id.rsplit("-", 1)[0] == other.id.rsplit("-", 1)[0]
    return one.id.startswith("CC-") and same_kind and one.id <= other.id


_HUB_IDS = {
    "CC0-1.0": "cc0-1.0",
    "PDDL-1.0": "pddl",
    "Unlicense": "unlicense",
    "WTFPL": "wtfpl",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "BSD-2-Clause": "bsd-2-clause",
    "BSD-3-Clause": "bsd-3-clause",
    "ISC": "isc",
    "BSL-1.0": "bsl-1.0",
    "AFL-3.0": "afl-3.0",
    "Artistic-2.0": "artistic-2.0",
    "Zlib": "zlib",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "CDLA-Permissive-1.0": "cdla-permissive-1.0",
    "CDLA-Permissive-2.0": "cdla-permissive-2.0",
    "CDLA-Sharing-1.0": "cdla-sharing-1.0",
    "GFDL-1.3-or-later": "gfdl",
    "GPL-2.0-only": "gpl-2.0",
    "GPL-3.0-only": "gpl-3.0",
    "GPL-3.0-or-later": "gpl-3.0",
    "LGPL-3.0-only": "lgpl-3.0",
    "AGPL-3.0-only": "agpl-3.0",
    "MPL-2.0": "mpl-2.0",
    "EUPL-1.2": "eupl-1.2",
    "EPL-2.0": "epl-2.0",
    "etalab-2.0": "etalab-2.0",
}
_HUB_CC = re.compile(r"cc-by(?:-nc)?(?:-nd|-sa)?-(?:2\.0|2\.5|3\.0|4\.0)")


def _hub_id(licence: Licence) -> str:
    if licence.id.startswith("CC-"):
        named = licence.id.casefold()
        return named if _HUB_CC.fullmatch(named) else "other"
    if licence.name.strip().casefold() in ("", "unknown", "未知"):
        return "unknown"
    return _HUB_IDS.get(licence.id, "other")
