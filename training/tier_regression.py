"""Logistic regression over the three tiers, also where the rows show only two of them."""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifier import TIERS

__all__ = ["ABSENT_LOGIT", "TierRegression"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

ABSENT_LOGIT: Final = -800.0
"""The logit of a tier that no row has: so low that its probability is 0 in floating point for any text."""


class TierRegression(LogisticRegression):  # type: ignore[misc]
    """Logistic regression whose classes are all three tiers.

    Fitted on rows of two tiers it is the regression on these two, and the third stays at a constant
    `ABSENT_LOGIT` beside a 0 of the lower one: everything after it sees three tiers and never meets the
    absent one.

    Attributes:
        classes_: the tiers, 0 to 2.
        coef_: shape (3, n_features).
        intercept_: shape (3,).
        present_: which tiers the rows had, shape (3,).
    """

    classes_: IntArray
    coef_: FloatArray
    intercept_: FloatArray
    present_: npt.NDArray[np.bool_]

    def fit(self, features: Any, tiers: Any, sample_weight: FloatArray | None = None) -> Self:
        """Fit on features, shape (n_rows, n_features), and tiers, shape (n_rows,), of at least two kinds."""
        super().fit(features, tiers, sample_weight)
        every = np.arange(len(TIERS))
        self.present_ = np.isin(every, self.classes_)
        if len(self.classes_) == 2:
            upper = int(self.classes_[1])
            coefficients = np.zeros((len(TIERS), self.coef_.shape[1]))
            coefficients[upper] = self.coef_[0]
            intercepts = np.where(self.present_, 0.0, ABSENT_LOGIT)
            intercepts[upper] = self.intercept_[0]
            self.coef_, self.intercept_, self.classes_ = coefficients, intercepts, every
        return self

    def scale(self, factor: float) -> None:
        """Multiply the logits of the present tiers by a factor, in place; an absent one stays absent."""
        self.coef_ *= factor
        self.intercept_[self.present_] *= factor
