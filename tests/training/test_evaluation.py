import json

import numpy as np
import pytest
from hypothesis import given, settings

from classifier import FixedPolicy, Policy, RiskPolicy, Tier, TierPredictor
from tests.training.routed import LengthPredictor, evaluation_of, laws, noisy_rows, perfect_rows, routed_rows
from training.errors import EvaluationError
from training.evaluation import Subject, evaluate, evaluate_model
from training.labelled import LabelledData
from training.routed_rows import RoutedRows


def test_a_predictor_is_evaluated_on_labelled_data(small_labelled: LabelledData) -> None:
    predictor = LengthPredictor()
    found = evaluate_model(predictor, small_labelled, resamples=100)
    assert found.rows == len(small_labelled)
    assert found.subject == Subject("by length", "risk at most 0.3", small_labelled.digest, 0.3)
    likeliest = [predictor.decide(prompt).most_probable for prompt in small_labelled.frame["prompt"]]
    right = likeliest == small_labelled.frame["tier"].to_numpy()
    assert found.estimate("most_probable", "accuracy").value == pytest.approx(right.mean())
    assert [table.by for table in found.slices] == ["domain", "language", "length", "kind"]


def test_the_packaged_model_beats_every_rule(small_labelled: LabelledData) -> None:
    predictor = TierPredictor.default()
    found = evaluate_model(predictor, small_labelled, resamples=100)
    assert found.subject.model == predictor.version
    rules = [rival.rates.right for rival in found.rivals if rival.kind in ("rule", "fixed", "random")]
    assert found.estimate("most_probable", "accuracy").low > max(rules)


@pytest.mark.parametrize(
    ("policy", "max_risk"),
    [(RiskPolicy(0.2), 0.2), (FixedPolicy(Tier.PREMIUM), None)],
    ids=["risk", "fixed"],
)
def test_the_policy_s_choice_is_the_policy_s(
    small_labelled: LabelledData, policy: Policy, max_risk: float | None
) -> None:
    found = evaluate_model(LengthPredictor(policy), small_labelled, resamples=10)
    plain = evaluate_model(LengthPredictor(), small_labelled, resamples=10)
    assert found.subject.max_risk == max_risk
    assert found.subject.policy == policy.describe()
    assert found.confusions["most_probable"] == plain.confusions["most_probable"]
    assert found.confusions["choice"] != plain.confusions["choice"]


def test_no_data_is_refused(small_labelled: LabelledData) -> None:
    nothing = small_labelled.where(np.zeros(len(small_labelled), dtype=np.bool_))
    with pytest.raises(EvaluationError, match="no labelled prompts"):
        evaluate_model(LengthPredictor(), nothing)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(EvaluationError, match="domain has 1 entries for 3 rows"):
        evaluate(
            perfect_rows([0, 1, 2]),
            Subject("a", "b", "c"),
            texts=["x"] * 3,
            labels={"domain": ["law"]},
            resamples=1,
        )


def test_perfect_predictions_are_certain_of_everything() -> None:
    found = evaluation_of(perfect_rows([0, 1, 2] * 20))
    accuracy = found.estimate("most_probable", "accuracy")
    assert (accuracy.value, accuracy.low, accuracy.high) == (1, 1, 1)
    assert found.estimate("choice", "under_routing").value == 0
    assert found.calibration.error == pytest.approx(0)


def test_intervals_hold_their_figures_and_narrow_with_more_rows() -> None:
    few, many = evaluation_of(noisy_rows(100)), evaluation_of(noisy_rows(1600))
    for measured in (*few.measured, *many.measured):
        assert measured.estimate.low <= measured.estimate.value <= measured.estimate.high
    widths = [found.estimate("most_probable", "accuracy") for found in (few, many)]
    assert widths[0].high - widths[0].low > 2.5 * (widths[1].high - widths[1].low)


@settings(laws, max_examples=10)
@given(routed_rows(max_size=8))
def test_any_evaluation_is_json_with_the_same_keys(rows: RoutedRows) -> None:
    written = json.loads(json.dumps(evaluation_of(rows).as_dict(), allow_nan=False))
    assert set(written) == {
        *(
            "format",
            "model",
            "policy",
            "max_risk",
            "data",
            "rows",
            "weight",
            "tiers",
            "most_probable",
            "choice",
        ),
        *("calibration", "rivals", "slices", "risk_curve", "expected_cost_curve", "costs", "intervals"),
    }
    assert set(written["most_probable"]) == {
        *("accuracy", "macro_f1", "quadratic_kappa", "log_loss", "cheap_premium_errors", "confusion")
    }
    assert set(written["choice"]) == {
        *(
            "right_tier",
            "under_routing",
            "over_routing",
            "cheap_premium_errors",
            "usd_per_1000_prompts",
            "confusion",
        )
    }


def test_the_same_seed_gives_the_same_evaluation() -> None:
    assert evaluation_of(noisy_rows(80)).as_dict() == evaluation_of(noisy_rows(80)).as_dict()


def test_flat_metrics_leave_out_what_is_not_defined() -> None:
    flat = evaluation_of(perfect_rows([0, 0])).flat_metrics()
    assert "most_probable.quadratic_kappa" not in flat
    assert flat["most_probable.accuracy"] == 1
    assert flat["expected_calibration_error"] == pytest.approx(0)


def test_the_expected_cost_policy_goes_from_cheap_to_premium() -> None:
    curve = evaluation_of(noisy_rows(300)).cost_curve
    assert curve[0].usd_per_1000 < curve[-1].usd_per_1000
    assert curve[0].under_routing > curve[-1].under_routing
