"""The format of a feedback log: JSON Lines, one object for each decision.

| key | value | |
|---|---|---|
| `prompt` or `messages` | text, or OpenAI messages | required, exactly one |
| `tier` | "cheap", "balanced" or "premium": the tier that answered | required |
| `request_id` | text | of rows with the same one the last counts: feedback can be appended |
| `thumb` | "up", "down" or null | what the user said of this answer |
| `retried` | true, false or null | the user asked again, or regenerated, at the same tier |
| `escalated_to` | a tier above `tier`, or null | answered where this one was not enough |
| `escalated_thumb` | "up", "down" or null | the same of that answer; only with `escalated_to` |
| `probabilities` | object by tier, list in tier order, or null | P(needed tier) at the time |
| `chosen_by` | "policy", "caller", "exploration" or null | who chose the tier |
| `propensity` | number in (0, 1], or null | probability with which the tier was chosen |
| `time` | text (ISO 8601) or seconds since 1970, or null | when it was decided; kept for people |
| `model`, `model_version`, `policy` | text, or null | what answered and decided; kept for people |
| `language`, `domain` | text, or null | passed on to the labels |

A key that is absent is null. Other keys are ignored, but not keys that are likely misspelt
(`thumbs`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from classifier import TIERS, Tier
from training.errors import DataError, RowError
from training.labelled_rows import TIER_NAMES, prompt_of, reading_of, shown, word_of
from training.normal_text import normal_text
from training.table_files import RawRow, Report, Schema, column_names, find_files, read_rows

__all__ = ["CHOSEN_BY", "FeedbackRow", "feedback_files", "read_feedback"]

Messages = Sequence[Mapping[str, Any]]
ChosenBy = Literal["policy", "caller", "exploration", ""]
Probabilities = tuple[float, float, float]

CHOSEN_BY: Final = ("policy", "caller", "exploration")
_SIGNALS: Final = ("thumb", "retried", "escalated_to", "escalated_thumb")
_COLUMNS: Final = Schema(
    required=(("tier",), ("prompt", "messages")),
    optional=(
        *("request_id", "time", "model", "model_version", "policy", "probabilities"),
        *_SIGNALS,
        *("chosen_by", "propensity", "language", "domain"),
    ),
)
_THUMBS: Final[Mapping[object, int]] = {None: 0, "": 0, "up": 1, "down": -1}
_JSON_FILES: Final = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """One decision and what the user made of it.

    Attributes:
        request_id: Its name; empty when not given.
        prompt: The prompt, or the messages of a conversation.
        text: The normalised text (`normal_text`), by which rows of the same prompt are known.
        tier: The tier that answered.
        thumb: 1 for up, -1 for down, 0 for neither.
        retried: Whether the user asked again at the same tier.
        escalated_to: The tier above that answered afterwards; None when there was none.
        escalated_thumb: What the user said of that answer: 1, -1 or 0.
        probabilities: P(needed tier) as logged, in Tier order, summing to 1; None when not given.
        chosen_by: "policy", "caller" or "exploration"; empty when not given.
        propensity: Probability with which the tier was chosen, in (0, 1]; None when not given.
        language: Empty when not given.
        domain: Empty when not given.
    """

    request_id: str
    prompt: str | Messages
    text: str
    tier: Tier
    thumb: int
    retried: bool
    escalated_to: Tier | None
    escalated_thumb: int
    probabilities: Probabilities | None
    chosen_by: ChosenBy
    propensity: float | None
    language: str
    domain: str

    @property
    def is_silent(self) -> bool:
        """Whether the user gave no sign at all."""
        return not (self.thumb or self.retried or self.escalated_to is not None)


def feedback_files(path: Path) -> list[Path]:
    """Return the JSON Lines files at `path`: itself, or the ones directly in a folder, by name.

    Raises:
        DataError: There are none, or one misspells the name of a signal.
    """
    files = [file for file in find_files(path) if file.suffix.lower() in _JSON_FILES]
    if not files:
        raise DataError(f"{path}: a feedback log is JSON Lines (.jsonl, .ndjson), one object a line")
    for file in files:
        _refuse_misspelt(file)
    return files


def read_feedback(file: Path, report: Report) -> Iterator[FeedbackRow]:
    """Read a feedback log row by row.

    Args:
        file: One of `feedback_files`.
        report: Told of bad rows.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    for raw in read_rows(file, _COLUMNS, report):
        try:
            row = _feedback_row(raw)
        except RowError as error:
            report(error)
        else:
            yield row


def _refuse_misspelt(file: Path) -> None:
    names = column_names(file)
    for signal in _SIGNALS:
        if signal not in names:
            near = [
                name for name in get_close_matches(signal, names, cutoff=0.8) if name not in _COLUMNS.names
            ]
            if near:
                raise DataError(f"{file}: '{near[0]}' is no signal; did you mean '{signal}'?")


def _feedback_row(raw: RawRow) -> FeedbackRow:
    prompt = prompt_of(raw)
    reading_of(raw, prompt)
    tier = _tier(raw, "tier")
    if tier is None:
        raise RowError(raw.place, "tier", "no tier; write the tier that answered: cheap, balanced or premium")
    escalated_to = _escalation(raw, tier)
    escalated_thumb = _thumb(raw, "escalated_thumb")
    if escalated_thumb and escalated_to is None:
        raise RowError(raw.place, "escalated_thumb", "a thumb for an escalation, but no 'escalated_to'")
    return FeedbackRow(
        request_id=word_of(raw, "request_id"),
        prompt=prompt,
        text=normal_text(prompt),
        tier=tier,
        thumb=_thumb(raw, "thumb"),
        retried=_truth(raw, "retried"),
        escalated_to=escalated_to,
        escalated_thumb=escalated_thumb,
        probabilities=_probabilities(raw),
        chosen_by=_chosen_by(raw),
        propensity=_propensity(raw),
        language=word_of(raw, "language"),
        domain=word_of(raw, "domain"),
    )


def _tier(raw: RawRow, column: str) -> Tier | None:
    value = raw.cells.get(column)
    if value in (None, ""):
        return None
    if not isinstance(value, str) or value not in TIER_NAMES:
        problem = f"unknown tier {shown(value)}; write cheap, balanced or premium in small letters"
        raise RowError(raw.place, column, problem)
    return Tier.parse(value)


def _escalation(raw: RawRow, tier: Tier) -> Tier | None:
    to = _tier(raw, "escalated_to")
    if to is not None and to <= tier:
        problem = f"'{to}' is not above '{tier}', which answered first; an escalation goes to a higher tier"
        raise RowError(raw.place, "escalated_to", problem)
    return to


def _thumb(raw: RawRow, column: str) -> int:
    value = raw.cells.get(column)
    if isinstance(value, str | None) and value in _THUMBS:
        return _THUMBS[value]
    raise RowError(raw.place, column, f'{shown(value)} is no thumb; write "up", "down" or null')


def _truth(raw: RawRow, column: str) -> bool:
    value = raw.cells.get(column)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise RowError(raw.place, column, f"{shown(value)} is neither true nor false")


def _chosen_by(raw: RawRow) -> ChosenBy:
    value = raw.cells.get("chosen_by")
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or value not in CHOSEN_BY:
        raise RowError(raw.place, "chosen_by", f"{shown(value)}; write {', '.join(CHOSEN_BY)} or null")
    return value  # type: ignore[return-value]


def _propensity(raw: RawRow) -> float | None:
    value = raw.cells.get("propensity")
    if value is None:
        return None
    if _is_share(value) and value:
        return float(value)  # type: ignore[arg-type]
    raise RowError(raw.place, "propensity", f"{shown(value)} is no probability above 0 and up to 1")


def _probabilities(raw: RawRow) -> Probabilities | None:
    value = raw.cells.get("probabilities")
    if value is None:
        return None
    given = [value.get(name) for name in TIER_NAMES] if isinstance(value, Mapping) else value
    if not isinstance(given, list) or len(given) != len(TIERS) or not all(map(_is_share, given)):
        problem = f"{shown(value)}; give one number in [0, 1] for each tier, as an object by tier or a list"
        raise RowError(raw.place, "probabilities", problem)
    total = math.fsum(given)
    if abs(total - 1.0) > 0.02:  # logs round
        raise RowError(raw.place, "probabilities", f"they sum to {total:.3g}; probabilities sum to 1")
    cheap, balanced, premium = (share / total for share in given)
    return cheap, balanced, premium


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0
