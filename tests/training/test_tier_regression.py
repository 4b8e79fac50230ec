import numpy as np
import pytest

from classifier import BoundedPolicy, RiskPolicy, Tier, TierPredictor
from tests.training.fits import SMALL_SETTINGS, some_rows
from training.compiling import compile_model
from training.fitting import FittedModel, fit_model, prompt_rows
from training.labelled import LabelledData
from training.split import split_data
from training.tier_regression import TierRegression
from training.train_run import TrainOptions, train

PAIRS = [(0, 1), (0, 2), (1, 2)]
FEATURES = np.random.default_rng(0).normal(size=(80, 3))


def two_tiers(pair: tuple[int, int]) -> LabelledData:
    data = some_rows()
    return data.where(np.isin(data.frame["tier"].to_numpy(), pair))


def fitted_on(pair: tuple[int, int]) -> FittedModel:
    split = split_data(two_tiers(pair))
    return fit_model(split.train, split.validation, SMALL_SETTINGS)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_tier_that_no_row_has_gets_a_probability_of_zero(pair: tuple[int, int]) -> None:
    tiers = np.asarray(pair)[(FEATURES[:, 0] > 0).astype(int)]
    regression = TierRegression().fit(FEATURES, tiers)
    regression.scale(0.02)
    probabilities = regression.predict_proba(1000 * FEATURES)
    (absent,) = {0, 1, 2} - set(pair)
    assert probabilities[:, absent].max() == 0.0
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert (regression.predict(FEATURES) == tiers).mean() > 0.9


@pytest.mark.parametrize("pair", PAIRS)
def test_the_compiled_two_tier_predictor_agrees_with_its_pipeline(pair: tuple[int, int]) -> None:
    fitted = fitted_on(pair)
    assert fitted.head is None
    predictor = TierPredictor(compile_model(fitted, RiskPolicy(0.3), {}))
    texts, _ = prompt_rows(some_rows())
    asked = ["", *texts[:150]]
    ours, theirs = np.array(predictor.predict_proba(asked)), fitted.prompts.predict_proba(asked)
    assert np.abs(ours - theirs).max() < 1e-9
    (absent,) = {0, 1, 2} - set(pair)
    assert ours[:, absent].max() == 0.0


@pytest.mark.parametrize(("pair", "under_routing"), [((0, 1), 0.0), ((0, 2), 0.5), ((1, 2), 0.6)])
def test_a_trained_two_tier_model_never_chooses_the_absent_tier(
    pair: tuple[int, int], under_routing: float
) -> None:
    options = TrainOptions(SMALL_SETTINGS, refit=False, under_routing=under_routing)
    trained = train(two_tiers(pair), options, step=lambda _: None)
    predictor = TierPredictor(trained.model)
    chosen = {int(predictor.decide(prompt).tier) for prompt in some_rows().frame["prompt"]}
    assert chosen <= set(pair)
    assert trained.model.provenance["tiers"] == [Tier(tier).label for tier in pair]
    assert isinstance(trained.model.policy, BoundedPolicy) == (0 not in pair)
