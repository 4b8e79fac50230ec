"""Where a table of outcomes keeps the scores, the costs and the tokens of each tier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from classifier import TIERS, Tier
from training.errors import DataError
from training.table_files import Schema, column_names

__all__ = [
    "DEFAULT_COLUMNS",
    "DESCRIPTIONS",
    "OutcomeColumns",
    "OutcomeLayout",
    "find_layout",
    "nearest_first",
]

_PROMPTS: Final = ("prompt", "messages")
DESCRIPTIONS: Final = ("id", "prompt_id", "source", "eval_name", "language", "domain")
"""Columns that say something of a prompt."""

_NO_SCORES: Final = ("usd:", "cost:", "tokens:", "out_chars:", "raw_")
_NO_SCORES_AT_END: Final = ("|total_cost", "|model_response")
_MOST_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """What one calls the tiers' columns; in a long table, their models.

    Attributes:
        cheap: the score column (wide) or the model (long) of the cheap tier; `score:NAME` may be called NAME.
        balanced: the same of the balanced tier.
        premium: the same of the premium tier. With no tier named, the columns `score:cheap`, `score:balanced`
            and `score:premium` are read, of which two are enough; with any named, exactly those.
        usd: the columns with the dollars of one answer, one for each tier that is read, in their order; where
            none is given, `COLUMN|total_cost`, `usd:NAME` or `cost:NAME` are taken (long: `cost`, `usd`).
        tokens: the same for tokens; where none is given, `tokens:NAME` (long: `tokens`).
    """

    cheap: str | None = None
    balanced: str | None = None
    premium: str | None = None
    usd: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()

    @property
    def named(self) -> dict[Tier, str]:
        """The tiers that were named, ascending, with their names."""
        names = zip(TIERS, (self.cheap, self.balanced, self.premium), strict=True)
        return {tier: name.strip() for tier, name in names if name is not None}


DEFAULT_COLUMNS: Final = OutcomeColumns()


@dataclass(frozen=True, slots=True)
class OutcomeLayout:
    """How one file keeps its outcomes.

    Attributes:
        file: the file.
        tiers: the tiers that are read, ascending.
        names: the model behind each.
        is_long: whether a row is one model's answer, instead of all models'.
        scores: the score column of each tier; in a long table the one there is.
        usd: the cost columns, likewise; empty where there are none.
        tokens: the token columns, likewise.
        has_lists: whether a prompt may be the text of a list of strings, as in RouterBench.
    """

    file: Path
    tiers: tuple[Tier, ...]
    names: tuple[str, ...]
    is_long: bool
    scores: tuple[str, ...]
    usd: tuple[str, ...]
    tokens: tuple[str, ...]
    has_lists: bool

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every column with numbers: scores, then dollars, then tokens."""
        return (*self.scores, *self.usd, *self.tokens)

    @property
    def schema(self) -> Schema:
        """The columns to read."""
        model = (("model",),) if self.is_long else ()
        required = (_PROMPTS, *model, *((name,) for name in self.scores))
        return Schema(required, (*self.usd, *self.tokens, *DESCRIPTIONS, "contaminated"))

    def without(self, *, usd: bool, tokens: bool) -> "OutcomeLayout":
        """Return the layout that reads no dollars, or no tokens."""
        return replace(self, usd=() if usd else self.usd, tokens=() if tokens else self.tokens)


def find_layout(file: Path, columns: OutcomeColumns) -> OutcomeLayout:
    """Return how a file keeps the outcomes that were asked for.

    A table with the columns `model` and `score` is a long one, unless a tier's name is a column of its own.

    Raises:
        DataError: A column is missing; the message lists those that might have been meant.
    """
    header = column_names(file)
    if not header:  # of JSON Lines; a CSV file without a header is refused as it is read
        raise DataError(
            f"{file}: there are no rows that can be read; expected the outcomes of one prompt a row"
        )
    named = columns.named or _defaults(file, header)
    _check_names(file, named)
    wide_name = any(_score_column(header, name) for name in named.values())
    if {"model", "score"} <= set(header) and not wide_name:
        return _long(file, header, named, columns)
    return _wide(file, header, named, columns)


def nearest_first(name: str, candidates: Sequence[str]) -> str:
    """Return the candidates that look most like a name, the nearest first, as a list in words."""
    near = sorted(
        candidates,
        key=lambda known: -SequenceMatcher(None, name.lower(), known.lower().removeprefix("score:")).ratio(),
    )
    more = len(near) - _MOST_LISTED
    listed = ", ".join(f"'{known}'" for known in near[:_MOST_LISTED])
    return f"{listed} and {more} more" if more > 0 else listed or "none"


def _defaults(file: Path, header: Sequence[str]) -> dict[Tier, str]:
    if {"model", "score"} <= set(header):
        return {tier: tier.label for tier in TIERS}
    found = {tier: tier.label for tier in TIERS if f"score:{tier.label}" in header}
    if len(found) < 2:
        raise DataError(
            f"{file}: no tier was named, and there are not two of the columns 'score:cheap', 'score:balanced'"
            f" and 'score:premium'; name the tiers' columns with --cheap, --balanced, --premium;"
            f" they might be: {nearest_first('score', _candidates(header))}"
        )
    return found


def _check_names(file: Path, named: Mapping[Tier, str]) -> None:
    if len(named) < 2:
        raise DataError(
            f"{file}: a router chooses among tiers: name at least two of cheap, balanced and premium"
        )
    names = list(named.values())
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(f"{file}: '{repeated[0]}' is named for two tiers; give each a model of its own")


def _wide(
    file: Path, header: Sequence[str], named: Mapping[Tier, str], columns: OutcomeColumns
) -> OutcomeLayout:
    scores = [
        _score_column(header, name) or _missing(file, header, tier, name) for tier, name in named.items()
    ]
    models = [score.removeprefix("score:") for score in scores]
    usd = [
        _first(header, f"{score}|total_cost", f"usd:{model}", f"cost:{model}")
        for score, model in zip(scores, models, strict=True)
    ]
    tokens = [_first(header, f"tokens:{model}") for model in models]
    return OutcomeLayout(
        file=file,
        tiers=tuple(named),
        names=tuple(models),
        is_long=False,
        scores=tuple(scores),
        usd=_given(file, header, columns.usd, len(named), "dollars") or _all_or_none(usd),
        tokens=_given(file, header, columns.tokens, len(named), "tokens") or _all_or_none(tokens),
        has_lists="eval_name" in header or any(name.endswith("|total_cost") for name in header),
    )


def _long(
    file: Path, header: Sequence[str], named: Mapping[Tier, str], columns: OutcomeColumns
) -> OutcomeLayout:
    return OutcomeLayout(
        file=file,
        tiers=tuple(named),
        names=tuple(named.values()),
        is_long=True,
        scores=("score",),
        usd=_given(file, header, columns.usd, 1, "dollars") or _all_or_none([_first(header, "cost", "usd")]),
        tokens=_given(file, header, columns.tokens, 1, "tokens") or _all_or_none([_first(header, "tokens")]),
        has_lists=False,
    )


def _score_column(header: Sequence[str], name: str) -> str:
    return _first(header, name, f"score:{name}")


def _first(header: Sequence[str], *names: str) -> str:
    return next((name for name in names if name in header), "")


def _all_or_none(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(found) if all(found) else ()


def _given(
    file: Path, header: Sequence[str], names: tuple[str, ...], count: int, what: str
) -> tuple[str, ...]:
    if names and len(names) != count:
        raise DataError(
            f"{file}: {len(names)} columns of {what} for {count} of scores; name one for each tier"
        )
    for name in names:
        if name not in header:
            raise DataError(f"{file}: no column '{name}'; it might be: {nearest_first(name, header)}")
    return names


def _missing(file: Path, header: Sequence[str], tier: Tier, name: str) -> str:
    listed = nearest_first(name, _candidates(header))
    raise DataError(f"{file}: no column '{name}' (--{tier.label}); columns with scores might be: {listed}")


def _candidates(header: Sequence[str]) -> list[str]:
    """The columns that could hold scores; those that say so, where there are any."""
    marked = [name for name in header if name.startswith("score:")]
    return marked or [name for name in header if _may_hold_scores(name)]


def _may_hold_scores(name: str) -> bool:
    other = (
        *_PROMPTS,
        *DESCRIPTIONS,
        "contaminated",
        "tier",
        "weight",
        "sample_id",
        "oracle_model_to_route_to",
        "category",
    )
    return not (name in other or name.startswith(_NO_SCORES) or name.endswith(_NO_SCORES_AT_END))
