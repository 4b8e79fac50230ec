"""The settings that a model is fitted with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from classifier.features import EXCERPT, Excerpt
from classifier.statistic import STATISTICS
from training.errors import SettingsError

__all__ = ["DEFAULT_SETTINGS", "FitSettings"]


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
    head_inverse_penalty: float = 0.1

    def __post_init__(self) -> None:
        for name in (
            "window",
            "ask",
            "middle_weight",
            "min_documents",
            "max_ngrams",
            "inverse_penalty",
            "statistics_scale",
        ):
            _require(getattr(self, name) > 0, f"{name} is {getattr(self, name)}: it must be above 0")
        _require(self.head_inverse_penalty > 0, "head_inverse_penalty must be above 0")
        _require(self.longest_ngram in (1, 2), f"longest_ngram is {self.longest_ngram}: use 1 or 2")
        unknown = set(self.statistics) - {statistic.name for statistic in STATISTICS}
        _require(not unknown, f"unknown statistics: {', '.join(sorted(unknown))}")

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
        return cls(**{**mapping, "statistics": tuple(mapping.get("statistics", DEFAULT_SETTINGS.statistics))})


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SettingsError(otherwise)


DEFAULT_SETTINGS = FitSettings()
"""Found by `--tune` on the project's own data, with whole sources held out."""
