"""What the cells of an outcome row mean: scores, dollars, tokens, prompts, and what is wrong with them."""

import ast
import json
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from training.errors import Place, RowError, SettingsError
from training.labelled_rows import Messages, prompt_of, reading_of, shown
from training.outcome_columns import OutcomeLayout
from training.table_files import RawRow

__all__ = ["UNIT_SCALE", "Scale", "is_contaminated", "outcome_numbers", "outcome_prompt"]

_MISSING: Final = ("", "nan", "null", "none", "na", "n/a")
_TRUTHS: Final[Mapping[object, bool]] = {
    **dict.fromkeys((True, 1, 1.0, "true", "1", "1.0", "yes"), True),
    **dict.fromkeys((False, 0, 0.0, None, "false", "0", "0.0", "no", *_MISSING), False),
}
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale that scores are given on; it is mapped onto [0, 1].

    Attributes:
        low: the worst score there is.
        high: the best, above `low`.

    Raises:
        SettingsError: when the bounds are no interval.
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise SettingsError(
                f"a scale from {self.low:g} to {self.high:g} is none; give the lowest score, then the highest"
            )

    def unit(self, value: float) -> float:
        """Return a score in [0, 1], or one outside where the value is outside the scale.

        >>> Scale(1, 5).unit(2)
        0.25
        """
        return (value - self.low) / (self.high - self.low)


UNIT_SCALE: Final = Scale()


def outcome_numbers(raw: RawRow, layout: OutcomeLayout, scale: Scale) -> list[float]:
    """Return the numbers of a row in the order of `layout.numbers`; NaN where there is none.

    A missing number is an empty cell, null, NaN or a word for it (nan, null, none, na, n/a).

    Raises:
        RowError: A score outside its scale, a negative cost, or what is no number.
    """
    cells = raw.cells
    found = [_score(raw.place, name, cells.get(name), scale) for name in layout.scores]
    found += [_amount(raw.place, name, cells.get(name), "US dollars") for name in layout.usd]
    found += [_amount(raw.place, name, cells.get(name), "tokens") for name in layout.tokens]
    return found


def outcome_prompt(raw: RawRow, layout: OutcomeLayout) -> str | Messages:
    """Return the prompt of a row.

    RouterBench writes a prompt as the text of a list of strings, in Python's way or JSON's; several are the
    turns that one score is for, and are read as one text with blank lines between.

    Raises:
        RowError: There is none, or nobody asks anything in it.
    """
    text = raw.cells.get("prompt")
    may_be_list = layout.has_lists and isinstance(text, str) and text.startswith("[")
    row = replace(raw, cells={**raw.cells, "prompt": _unlisted(str(text))}) if may_be_list else raw
    prompt = prompt_of(row)
    reading_of(row, prompt)
    return prompt


def is_contaminated(raw: RawRow) -> bool:
    """Return whether a row says that a model was trained on its prompt.

    Raises:
        RowError: The cell is neither true nor false.
    """
    value = raw.cells.get("contaminated")
    known = value.strip().lower() if isinstance(value, str) else value
    if isinstance(known, float) and math.isnan(known):
        return False
    if not isinstance(known, str | bool | int | float | None) or known not in _TRUTHS:
        raise RowError(raw.place, "contaminated", f"{shown(value)} is neither true nor false")
    return _TRUTHS[known]


def _score(place: Place, column: str, value: object, scale: Scale) -> float:
    number = float(value) if isinstance(value, bool) else _number(place, column, value, "a score")
    unit = scale.unit(number)
    if -_ROUNDING <= unit <= 1 + _ROUNDING:
        return min(max(unit, 0.0), 1.0)
    if math.isnan(unit):
        return math.nan
    if scale != UNIT_SCALE:
        raise RowError(place, column, f"{shown(value)} is outside the scale {scale.low:g} to {scale.high:g}")
    raise RowError(place, column, f"{shown(value)} is outside [0, 1]; {_remedy(number)}")


def _remedy(number: float) -> str:
    if number < 0 or number > 100:
        return (
            "a score is 0 for a useless answer and 1 for a perfect one; --scale LOW HIGH maps another scale"
        )
    low, high = (1, 5) if number <= 5 else (1, 10) if number <= 10 else (0, 100)
    return f"for ratings from {low} to {high} say --scale {low} {high}, or map them onto 0 to 1 yourself"


def _amount(place: Place, column: str, value: object, unit: str) -> float:
    number = math.nan if isinstance(value, bool) else _number(place, column, value, f"a number of {unit}")
    if number < 0:
        raise RowError(place, column, f"{shown(value)} is negative; one answer takes 0 {unit} or more")
    if isinstance(value, bool) or math.isinf(number):
        raise RowError(place, column, f"{shown(value)} is no number of {unit}")
    return number


def _number(place: Place, column: str, value: object, what: str) -> float:
    try:
        if isinstance(value, str | float) or hasattr(value, "__float__"):
            return float(value)
    except ValueError:
        word = str(value).strip().lower()
        if word in _MISSING:
            return math.nan
        if word in ("true", "false") and what == "a score":
            return float(word == "true")
    except OverflowError:
        return math.inf
    if value is None:
        return math.nan
    raise RowError(place, column, f"{shown(value)} is not {what}; give a number, or leave the cell empty")


def _unlisted(text: str) -> str:
    """Return the text that a list of strings stands for; any other as it is."""
    for parse in _PARSERS:
        try:
            value = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            return "\n\n".join(value)
    return text


def _python_literal(text: str) -> object:
    with warnings.catch_warnings():  # of backslashes that mean nothing: mathematics is full of them
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.literal_eval(text)


_PARSERS: Final[tuple[Callable[[str], object], ...]] = (json.loads, _python_literal)
