"""Outcomes: how well each tier answered each prompt, and at what cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import Prompt, Tier
from training.errors import EvaluationError

__all__ = ["OutcomeTable"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """How well two or three tiers answered the same prompts.

    Attributes:
        tiers: the tiers that were scored, ascending.
        names: the model behind each of them.
        prompts: one a row; iterated more than once, so a list, or what reads its file again.
        scores: shape (n_prompts, n_tiers), in [0, 1]; means where a prompt was answered several times.
        usd: US dollars for one answer, shape (n_prompts, n_tiers); None where nothing is known of costs.
        tokens: input and output tokens of one answer, shape (n_prompts, n_tiers); None where unknown.
        repeats: how many rows stand behind each prompt, shape (n_prompts,).
        noise: standard deviation of the scores of one prompt and model, in [0, 0.71]; None where every prompt
            was answered once.
        digest: SHA-256 of the content, in hexadecimal.

    Raises:
        EvaluationError: when there are no prompts, a shape is off or a value is out of its range.
    """

    tiers: tuple[Tier, ...]
    names: tuple[str, ...]
    prompts: Iterable[Prompt]
    scores: FloatArray
    usd: FloatArray | None
    tokens: FloatArray | None
    repeats: IntArray
    noise: float | None
    digest: str

    def __post_init__(self) -> None:
        if len(self.tiers) < 2 or list(self.tiers) != sorted(set(self.tiers)):
            raise EvaluationError("outcomes are of two or three tiers, each once, the cheapest first")
        if len(self.scores) == 0:
            raise EvaluationError("the outcome table holds no prompts; give at least one")
        expected = (len(self.scores), len(self.tiers))
        for name in ("scores", "usd", "tokens"):
            values = getattr(self, name)
            if values is not None:
                _check(name, values, expected, most=1.0 if name == "scores" else np.inf)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def is_two_tier(self) -> bool:
        """Whether only two of the three tiers were scored."""
        return len(self.tiers) == 2

    def column(self, tier: Tier) -> int:
        """Return the place of a tier among the columns.

        Raises:
            ValueError: when the tier was not scored.
        """
        return self.tiers.index(tier)

    def scores_of(self, columns: IntArray) -> FloatArray:
        """Return each prompt's score under the column chosen for it, shape (n_prompts,)."""
        return np.asarray(self.scores[np.arange(len(self)), columns], dtype=np.float64)

    def columns_of(self, chosen: IntArray) -> IntArray:
        """Return the columns of chosen tiers; one that was not scored is answered by the next above that was.

        Where there is none above, by the dearest one there is.

        Args:
            chosen: tiers, shape (n_prompts,), 0 to 2 in Tier order.
        """
        placed = np.searchsorted(np.asarray([int(tier) for tier in self.tiers]), chosen)
        return np.asarray(np.minimum(placed, len(self.tiers) - 1), dtype=np.int64)


def _check(name: str, values: FloatArray, shape: Sequence[int], *, most: float) -> None:
    if values.shape != tuple(shape):
        raise EvaluationError(f"{name} have shape {values.shape}; expected {tuple(shape)}")
    bad = np.argwhere(~((values >= 0) & (values <= most) & np.isfinite(values)))
    if len(bad):
        row, column = bad[0]
        bounds = "in [0, 1]" if most == 1.0 else "of 0 or more"
        raise EvaluationError(
            f"{name} of row {row}, column {column}, are {values[row, column]:g}; expected numbers {bounds}"
        )
