"""Three parts of the labelled data: to train on, to choose by, and to judge by at the very end."""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy
import numpy.typing

from training.errors import DataError
from training.labelled import LabelledData
from training.labelled_rows import TIER_NAMES
from training.near_duplicates import find_near_duplicates

__all__ = ["NearDuplicate", "Split", "SplitName", "all_but_test", "split_data", "split_name"]

SplitName = Literal["train", "validation", "test"]

TRAIN_SHARE: Final = 0.70
VALIDATION_SHARE: Final = 0.15


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A row that was left out of training, for it gives away one that the model is judged by.

    Attributes:
        id: The row that was left out.
        tier: Its tier, 0, 1 or 2.
        of: The row that it is nearly the same as.
        of_tier: That row's tier.
        of_split: The part which that row is in.
        similarity: How alike they are, from the threshold (`near_duplicates.NEAR`) to 1.
    """

    id: str
    tier: int
    of: str
    of_tier: int
    of_split: SplitName
    similarity: float


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a data set. Every row is in exactly one of them or in `near_duplicates`.

    Attributes:
        train: What the model is fitted on.
        validation: What settings and the policy are chosen by.
        test: What the model is judged by, once.
        near_duplicates: The rows left out of `train`, in its order.
    """

    train: LabelledData
    validation: LabelledData
    test: LabelledData
    near_duplicates: tuple[NearDuplicate, ...]


def split_name(text: str) -> SplitName:
    """Return the part that a row belongs to: 70 % train, 15 % validation, 15 % test.

    It depends on the row's own text alone, so neither order nor added rows can move a row, and rows with the
    same normalised text stay together.

    Args:
        text: The normalised text (`normal_text`).

    >>> [split_name(text) for text in ("what is a monad?", "hello", "is 91 prime")]
    ['train', 'train', 'train']
    """
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8, person=b"tierwise-split").digest()
    position = int.from_bytes(digest) / 2**64
    if position < TRAIN_SHARE:
        return "train"
    return "validation" if position < TRAIN_SHARE + VALIDATION_SHARE else "test"


def split_data(data: LabelledData) -> Split:
    """Split `data` by the text of each row, and keep near-duplicates of the held-out rows out of training.

    Two rows of the same part may be alike; so may one for validation and one for the test.

    Raises:
        DataError: A part has no rows, or training none of a tier that the data has.
    """
    names = numpy.array([split_name(text) for text in data.frame["text"]])
    left_out = _near_duplicates(data, names)
    kept = names == "train"
    kept[[row for row, _ in left_out]] = False
    split = Split(
        train=data.where(kept),
        validation=data.where(names == "validation"),
        test=data.where(names == "test"),
        near_duplicates=tuple(duplicate for _, duplicate in left_out),
    )
    _check_parts(data, split)
    return split


def all_but_test(split: Split) -> LabelledData:
    """Return the training and validation rows, without validation rows that nearly repeat a test row."""
    validation = split.validation
    alike = find_near_duplicates(validation.frame["text"].tolist(), split.test.frame["text"].tolist())
    kept = numpy.ones(len(validation), dtype=bool)
    kept[[pair.row for pair in alike]] = False
    return split.train.with_rows_of(validation.where(kept))


def _near_duplicates(
    data: LabelledData, names: numpy.typing.NDArray[numpy.str_]
) -> list[tuple[int, NearDuplicate]]:
    """Return each row to leave out of training, by its index, with what is to be said of it."""
    texts, ids, tiers = (data.frame[column].tolist() for column in ("text", "id", "tier"))
    trained, judged = numpy.flatnonzero(names == "train"), numpy.flatnonzero(names != "train")
    found = find_near_duplicates([texts[row] for row in trained], [texts[row] for row in judged])
    return [
        (
            int(row),
            NearDuplicate(ids[row], tiers[row], ids[of], tiers[of], split_name(texts[of]), pair.similarity),
        )
        for pair in found
        for row, of in [(trained[pair.row], judged[pair.other])]
    ]


def _check_parts(data: LabelledData, split: Split) -> None:
    rows = f"{len(split.train)} train, {len(split.validation)} validation and {len(split.test)} test rows"
    if not (len(split.train) and len(split.validation) and len(split.test)):
        raise DataError(f"too few rows to split: they fall into {rows}; give a few hundred prompts or more")
    missing = sorted(set(data.frame["tier"]) - set(split.train.frame["tier"]))
    if missing:
        alike = len(split.near_duplicates)
        left_out = f"; {alike} near-duplicates of the others left out of train" if alike else ""
        raise DataError(
            f"no row of '{TIER_NAMES[missing[0]]}' is left to train on ({rows}{left_out});"
            " give more different prompts of that tier"
        )
