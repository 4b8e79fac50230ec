"""Folds for cross-validation that keep repeats of a prompt together."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier import Prompt
from training.normal_text import normal_text

__all__ = ["prompt_folds"]

IntArray = npt.NDArray[np.int64]


def prompt_folds(prompts: Sequence[Prompt], folds: int = 5) -> IntArray:
    """Return the fold of each prompt, shape (n_prompts,), from 0, by a hash of its normalised text.

    Repeated prompts share a fold, so none is predicted by a model that has seen it. A prompt's fold depends
    on nothing but its text: not on the order of the rows, nor on what else there is.
    """
    texts = (normal_text(prompt).encode("utf-8", "surrogatepass") for prompt in prompts)  # type: ignore[arg-type]
    digests = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
    return np.array([int.from_bytes(digest) % folds for digest in digests], dtype=np.int64)
