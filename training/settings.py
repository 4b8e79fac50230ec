"""The settings that a model is fitted with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any

from classifier.features import EXCERPT, Excerpt
from classifier.statistic import STATISTICS
from training.errors import SettingsError

__all__ = ["DEFAULT_SETTINGS", "OUTCOME_SETTINGS", "PRESETS", "FitSettings"]


_WHOLE_NUMBERS = ("window", "ask", "longest_ngram", "min_documents", "max_ngrams")
_NUMBERS = ("middle_weight", "statistics_scale", "inverse_penalty", "head_inverse_penalty")


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the prompt model and the conversation head are fitted.

    Attributes:
        window: characters read from each end of a long prompt.
        ask: characters that the lines counted in full, at each end, hold at least.
        middle_weight: how much an n-gram counts that stands only between those lines, in (0, 1].
        longest_ngram: 1 for tokens and stems alone, 2 for pairs of neighbouring tokens too.
        min_documents: an n-gram stands in at least so many training prompts.
        max_ngrams: at most so many n-grams are kept, those that tell the tiers apart best.
        statistics: names of the prompt statistics that are used.
        statistics_scale: standard deviation of the statistics beside n-gram rows of length 1; the lower, the
            harder the penalty holds them down.
        inverse_penalty: scikit-learn's C of the prompt model; larger fits closer.
        head_inverse_penalty: the same of the conversation head.
    """

    window: int = EXCERPT.window
    ask: int = EXCERPT.ask
    middle_weight: float = EXCERPT.middle_weight
    longest_ngram: int = 2
    min_documents: int = 2
    max_ngrams: int = 25_000
    statistics: tuple[str, ...] = tuple(statistic.name for statistic in STATISTICS)
    statistics_scale: float = 0.3
    inverse_penalty: float = 20.0
    head_inverse_penalty: float = 0.3

    def __post_init__(self) -> None:
        for name in _WHOLE_NUMBERS:
            _require(
                type(getattr(self, name)) is int, f"{name} is {getattr(self, name)!r}: use a whole number"
            )
        for name in (*_WHOLE_NUMBERS, *_NUMBERS):
            value = getattr(self, name)
            _require(
                type(value) in (int, float) and 0 < value < inf, f"{name} is {value!r}: it must be above 0"
            )
        _require(self.middle_weight <= 1, f"middle_weight is {self.middle_weight}: it lies in (0, 1]")
        _require(self.longest_ngram in (1, 2), f"longest_ngram is {self.longest_ngram}: use 1 or 2")
        known = [statistic.name for statistic in STATISTICS]
        _require(
            isinstance(self.statistics, tuple) and all(name in known for name in self.statistics),
            f"statistics is {self.statistics!r}: name any of {', '.join(known)}",
        )

    @property
    def excerpt(self) -> Excerpt:
        """How much of a text is read."""
        return Excerpt(self.window, self.ask, self.middle_weight)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings for JSON."""
        return {**asdict(self), "statistics": list(self.statistics)}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> "FitSettings":
        """Return the settings that `as_dict` gave.

        Raises:
            SettingsError: if a name is unknown or a value out of range.
        """
        unknown = set(mapping) - {field.name for field in fields(cls)}
        _require(not unknown, f"unknown settings: {', '.join(sorted(unknown))}")
        listed: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in mapping.items()}
        return cls(**listed)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SettingsError(otherwise)


DEFAULT_SETTINGS = FitSettings()
"""Found by `--tune` on the project's own data, with whole sources held out."""

OUTCOME_SETTINGS = FitSettings(
    inverse_penalty=1.0, middle_weight=1.0, statistics_scale=0.05, max_ngrams=200_000
)
"""For labels from outcomes, found on public ones; `training/README.md` has the figures.

An outcome is in part luck, so the penalty is harder, on the statistics above all: one straight line in length
fits badly what rises and then falls, where a prompt grows too hard for either model. An exam question has no
ask that stands apart from its material, so all of it counts alike. Nothing is pruned: one fit, on few rows,
does not show which n-grams are of use.
"""

PRESETS: Mapping[str, FitSettings] = {"default": DEFAULT_SETTINGS, "outcomes": OUTCOME_SETTINGS}
"""Settings that go by a name."""
