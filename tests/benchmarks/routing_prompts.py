"""Prompts with the scores of a weak and a strong model, from the folder of public outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.benchmarks.row import Unavailable
from training.normal_text import normal_text

__all__ = ["ROUTELLM", "ZEROEVAL", "ModelPair", "RoutingPrompts", "read_pairs"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModelPair:
    """A table, and the two models whose scores are read from it.

    Attributes:
        file: the table's name, without `.parquet`.
        weak: the cheap model.
        strong: the dear one.
    """

    file: str
    weak: str
    strong: str


@dataclass(frozen=True, slots=True, eq=False)
class RoutingPrompts:
    """Prompts to route between two models.

    Attributes:
        prompts: n_prompts texts.
        texts: the same, normalised: repeats are equal.
        scores: of the weak and of the strong model, shape (n_prompts, 2), in [0, 1].
    """

    prompts: list[str]
    texts: npt.NDArray[np.str_]
    scores: FloatArray

    @classmethod
    def of(cls, prompts: Sequence[str], scores: FloatArray) -> "RoutingPrompts":
        """Return the prompts with their texts normalised."""
        return cls(list(prompts), np.array([normal_text(prompt) for prompt in prompts]), scores)

    def __len__(self) -> int:
        return len(self.prompts)

    def not_among(self, rows: IntArray) -> IntArray:
        """Return the rows whose prompts are none of these rows' prompts."""
        return np.flatnonzero(~np.isin(self.texts, self.texts[rows]))


_MIXTRAL, _GPT_4 = "mixtral-8x7b-instruct-v0.1", "gpt-4-1106-preview"
_LLAMA, _GPT_4O = "Meta-Llama-3.1-8B-Instruct", "gpt-4o-2024-08-06"

ROUTELLM: Final[Mapping[str, ModelPair]] = {
    name: ModelPair(f"routellm_{name}", _MIXTRAL, _GPT_4) for name in ("mmlu", "gsm8k", "mtbench")
}
"""RouteLLM's own tables, by its name for the benchmark."""

ZEROEVAL: Final[tuple[ModelPair, ...]] = (
    ModelPair("zeroeval_mmlu_redux", _LLAMA, _GPT_4O),
    ModelPair("zeroeval_crux", _LLAMA, _GPT_4O),
    ModelPair("zeroeval_gsm", _LLAMA, _GPT_4O),
    ModelPair("zeroeval_math_l5", _LLAMA, "o1-mini-2024-09-12"),
)
"""The four tables that are pooled: exam questions, code, school mathematics and competition mathematics."""


def read_pairs(folder: Path, pairs: Sequence[ModelPair]) -> RoutingPrompts:
    """Return the prompts of some tables; contaminated ones are left out, and those without both scores.

    Raises:
        Unavailable: if a table is not there or lacks a column.
    """
    table = pd.concat([_read(folder / f"{pair.file}.parquet", pair) for pair in pairs], ignore_index=True)
    return RoutingPrompts.of(table["prompt"].tolist(), table[["weak", "strong"]].to_numpy(dtype=np.float64))


def _read(file: Path, pair: ModelPair) -> pd.DataFrame:
    if not file.is_file():
        raise Unavailable(f"skipped: no {file}; name its folder with --outcomes")
    table = pd.read_parquet(file)
    columns = ["prompt", f"score:{pair.weak}", f"score:{pair.strong}"]
    missing = set(columns) - set(table.columns)
    if missing:
        raise Unavailable(f"{file} has no column {', '.join(sorted(missing))}")
    if "contaminated" in table:
        table = table[~table["contaminated"].astype(bool)]
    return table[columns].set_axis(["prompt", "weak", "strong"], axis=1).dropna()
