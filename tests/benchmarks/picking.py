"""Whether labels for picked prompts are worth more than labels for as many random ones, on public outcomes.

Half of a table's distinct prompts, drawn at random, is the log to pick from; the other half judges every
choice alike. Each draw gives one difference in APGR between picked and random prompts; the interval is that
of their mean. The halves of different draws overlap, so it is somewhat too narrow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from classifier import Tier, TierPredictor
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Row, Unavailable
from training.gap_recovered import apgr
from training.normal_text import normal_text
from training.outcome_labels import label_outcomes
from training.picking_space import SpaceArray, text_space
from training.picking_strategies import choose
from training.settings import FitSettings
from training.transformers import NgramPresence, prompt_statistics

__all__ = ["Asked", "difference", "picking_rows", "win_rates"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SETTINGS: Final = FitSettings(inverse_penalty=1.0, max_ngrams=1_000_000, middle_weight=1.0)
"""For few and noisy labels: a strong penalty, and exam questions read evenly."""

_LABELS: Final = (100, 200, 500)
_FIRST: Final = 100
_LARGEST_HALF: Final = 3_000
_LLAMA, _GPT = "score:Meta-Llama-3.1-8B-Instruct", "score:gpt-4o-2024-08-06"
_MIXTRAL, _GPT_4 = "score:mixtral-8x7b-instruct-v0.1", "score:gpt-4-1106-preview"
_TABLES: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "pooled ZeroEval": (
        ("zeroeval_mmlu_redux", _LLAMA, _GPT),
        ("zeroeval_crux", _LLAMA, _GPT),
        ("zeroeval_gsm", _LLAMA, _GPT),
        ("zeroeval_math_l5", _LLAMA, "score:o1-mini-2024-09-12"),
    ),
    "RouteLLM GSM8K": (("routellm_gsm8k", _MIXTRAL, _GPT_4),),
    "RouteLLM MMLU": (("routellm_mmlu", _MIXTRAL, _GPT_4),),
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Distinct prompts with the outcomes of two models, and all that is computed of them once.

    Attributes:
        presence: N-grams, shape (n_prompts, n_ngrams).
        statistics: Prompt statistics, shape (n_prompts, n_statistics).
        points: `text_space` of them, shape (n_prompts, n_dimensions).
        uncertainty: 1 less the margin by the packaged model, shape (n_prompts,).
        scores: Of the weak and the strong model, shape (n_prompts, 2).
    """

    presence: sparse.csr_matrix
    statistics: FloatArray
    points: SpaceArray
    uncertainty: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, prompts: Sequence[str], scores: FloatArray, predictor: TierPredictor) -> "Asked":
        """Read the prompts."""
        presence = NgramPresence(SETTINGS.excerpt, SETTINGS.longest_ngram, min_documents=2)
        ordered = np.sort(predictor.predict_proba(prompts), axis=1)
        return cls(
            presence.fit_transform(prompts).tocsr(),
            np.asarray(prompt_statistics(SETTINGS.excerpt, SETTINGS.statistics).transform(prompts)),
            text_space([normal_text(prompt) for prompt in prompts]),
            1.0 - (ordered[:, 2] - ordered[:, 1]),
            scores,
        )


def picking_rows(material: Material, draws: int = 12) -> Iterator[Row]:
    """Yield the rows of each table: a first choice by the packaged model, and a second by one's own."""
    for name, parts in _TABLES.items():
        missing = next((file for file, *_ in parts if not _path(material, file).is_file()), None)
        if missing:
            note = f"skipped: no {_path(material, missing)}; name its folder with --outcomes"
            yield Row(f"picked labels, {name}", note=note)
            continue
        say(f"picking from {name}")
        with threadpool_limits(limits=1):
            prompts, scores = _read(material.choices.outcomes, parts)
            asked = Asked.of(prompts, scores, material.predictor)
            found = [_draw(asked, seed) for seed in range(draws)]
        yield from _rows(name, found)


def difference(picked: Sequence[float], random: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Return the mean difference of pairs and its 95 % interval by Student's t; at least two pairs.

    >>> difference([0.6, 0.7], [0.5, 0.6])[0]
    0.1
    """
    gaps = np.subtract(picked, random)
    reach = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    mean = float(gaps.mean())
    return round(mean, 3), (mean - float(reach), mean + float(reach))


def win_rates(asked: Asked, labelled: IntArray, wanted: IntArray) -> FloatArray:
    """Return how probably prompts need the strong model, by one trained on a few: `TierClassifier` in short.

    The n-grams and statistics of all prompts are counted once, and every fit takes its rows and the n-grams
    that two of its prompts share.

    Args:
        asked: All prompts.
        labelled: Rows to train on.
        wanted: Rows to predict, shape (n_wanted,).
    """
    labels = label_outcomes(asked.scores[labelled], (Tier.CHEAP, Tier.PREMIUM))
    if len(set(labels.tiers)) < 2:
        return np.zeros(len(wanted))
    columns = np.flatnonzero(np.asarray((asked.presence[labelled] > 0).sum(axis=0)).ravel() >= 2)
    tfidf = TfidfTransformer().fit(asked.presence[labelled][:, columns])
    scaler = StandardScaler().fit(asked.statistics[labelled])

    def features(rows: IntArray) -> sparse.csr_matrix:
        ngrams = tfidf.transform(asked.presence[rows][:, columns])
        statistics = SETTINGS.statistics_scale * scaler.transform(asked.statistics[rows])
        return sparse.hstack([ngrams, sparse.csr_matrix(statistics)]).tocsr()

    model = LogisticRegression(C=SETTINGS.inverse_penalty, solver="newton-cg", max_iter=200, tol=1e-4)
    model.fit(features(labelled), labels.tiers, sample_weight=labels.weights)
    return np.asarray(model.predict_proba(features(wanted))[:, 1])


def _draw(asked: Asked, seed: int) -> dict[tuple[str, str, int], float]:
    """APGR on one half by round, strategy and number of labels, picked from the other half."""
    order = np.random.default_rng(seed).permutation(len(asked.scores))
    middle = len(order) // 2
    log, rest = order[:middle][:_LARGEST_HALF], order[middle:][:_LARGEST_HALF]

    def judged(labelled: IntArray) -> float:
        return apgr(win_rates(asked, labelled, rest), asked.scores[rest, 0], asked.scores[rest, 1])

    found: dict[tuple[str, str, int], float] = {}
    for strategy in ("random", "diverse", "uncertain", "both"):
        for n in _LABELS:
            rows = choose(strategy, asked.points[log], asked.uncertainty[log], n, seed=seed)
            found["first", strategy, n] = judged(log[rows])
    first, left = log[:_FIRST], log[_FIRST:]
    own = 1.0 - np.abs(2.0 * win_rates(asked, first, left) - 1.0)
    for strategy in ("random", "uncertain", "both"):
        for n in _LABELS[1:]:
            rows = choose(strategy, asked.points[left], own, n - _FIRST, seed=seed)
            found["second", strategy, n] = judged(np.concatenate([first, left[rows]]))
    return found


def _rows(name: str, found: Sequence[Mapping[tuple[str, str, int], float]]) -> Iterator[Row]:
    rounds = {"first": "packaged model", "second": f"own model of {_FIRST} labels"}
    for turn, model in rounds.items():
        for n in _LABELS if turn == "first" else _LABELS[1:]:
            yield _row(f"{name}, {n} labels, {model}", turn, n, found)


def _row(what: str, turn: str, n: int, found: Sequence[Mapping[tuple[str, str, int], float]]) -> Row:
    """One line: diverse and uncertain against random, and the other strategies in the note."""
    reached = {
        strategy: [draw[turn, strategy, n] for draw in found]
        for strategy in ("random", "diverse", "uncertain", "both")
        if (turn, strategy, n) in found[0]
    }
    gaps = {
        strategy: difference(values, reached["random"])
        for strategy, values in reached.items()
        if strategy != "random"
    }
    others = ", ".join(
        f"{strategy} {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
        for strategy, (mean, (low, high)) in gaps.items()
        if strategy != "both"
    )
    note = f"random reaches {np.mean(reached['random']):.3f}; against it {others}; {len(found)} draws"
    mean, interval = gaps["both"]
    return Row(f"APGR of 'both' less random: {what}", mean, interval=interval, note=note)


def _path(material: Material, file: str) -> Path:
    return material.choices.outcomes / f"{file}.parquet"


def _read(folder: Path, parts: Sequence[tuple[str, str, str]]) -> tuple[list[str], FloatArray]:
    """The distinct prompts of some tables, and what the weak and the strong model scored on each."""
    tables = [_table(folder / f"{file}.parquet", weak, strong) for file, weak, strong in parts]
    table = pd.concat(tables, ignore_index=True)
    table = table[~table["prompt"].map(normal_text).duplicated()]
    chosen = np.random.default_rng(0).permutation(len(table))[: 2 * _LARGEST_HALF]
    table = table.iloc[chosen]
    return table["prompt"].tolist(), table[["weak", "strong"]].to_numpy(dtype=np.float64)


def _table(file: Path, weak: str, strong: str) -> pd.DataFrame:
    table = pd.read_parquet(file)
    missing = {"prompt", weak, strong} - set(table.columns)
    if missing:
        raise Unavailable(f"{file} has no column {', '.join(sorted(missing))}")
    if "contaminated" in table:
        table = table[~table["contaminated"].astype(bool)]
    named = table[["prompt", weak, strong]].set_axis(["prompt", "weak", "strong"], axis=1)
    return named.dropna()
