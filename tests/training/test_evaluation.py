import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from classifier import AbstainingPolicy, FixedPolicy, Policy, RiskPolicy, Tier, TierPredictor
from tests.training.routed import LengthPredictor, evaluation_of, laws, noisy_rows, perfect_rows, routed_rows
from training.abstained import Fare
from training.costs import CostModel
from training.errors import EvaluationError
from training.evaluation import Subject, evaluate, evaluate_model
from training.labelled import LabelledData
from training.measures import measure_of
from training.metrics import routing_rates
from training.policy_choice import chosen_by_risk
from training.report_html import evaluation_html
from training.report_text import evaluation_text
from training.routed_rows import RoutedRows


def test_a_predictor_is_evaluated_on_labelled_data(small_labelled: LabelledData) -> None:
    predictor = LengthPredictor()
    found = evaluate_model(predictor, small_labelled, resamples=100)
    assert found.rows == len(small_labelled)
    assert found.subject == Subject("by length", "risk at most 0.3", small_labelled.digest, 0.3)
    likeliest = [predictor.decide(prompt).most_probable for prompt in small_labelled.frame["prompt"]]
    right = np.array(likeliest) == small_labelled.frame["tier"].to_numpy()
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
        *(
            "calibration",
            "rivals",
            "abstained",
            "slices",
            "risk_curve",
            "expected_cost_curve",
            "costs",
            "intervals",
        ),
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


ABSTAINING = AbstainingPolicy(RiskPolicy(0.2), Tier.PREMIUM, least_known=0.5, least_top=0.45)


def abstaining_rows() -> RoutedRows:
    """Rows of a policy that abstains, with less of the vocabulary of every third prompt known."""
    plain = noisy_rows(300)
    known = np.where(np.arange(300) % 3 == 0, 0.4, 0.9)
    pairs = zip(plain.probabilities.tolist(), known.tolist(), strict=True)
    chosen = np.array([ABSTAINING.choose(triple, share) for triple, share in pairs], dtype=np.int64)
    return replace(plain, known_vocabulary=known, chosen=chosen)


def test_a_policy_that_abstains_is_judged_with_and_without() -> None:
    rows = abstaining_rows()
    found = evaluation_of(rows, policy=ABSTAINING)
    mask = (rows.known_vocabulary < 0.5) | (rows.probabilities.max(axis=1) < 0.45)
    without = rows.with_choice(chosen_by_risk(rows.probabilities, 0.2))
    assert found.abstained is not None
    assert found.abstained.rows == mask.sum()
    assert found.abstained.sent is not None
    assert found.abstained.sent.rates.under == 0  # all of them went to premium
    assert found.abstained.otherwise == abstained_fare(without.where(mask))
    expected = routing_rates(without.chosen, without.needed, without.weights)
    assert found.rival("choice_not_abstaining").rates.as_dict() == pytest.approx(expected.as_dict())
    assert found.rival("choice").usd_per_1000 > found.rival("choice_not_abstaining").usd_per_1000


def abstained_fare(rows: RoutedRows) -> Fare:
    usd = measure_of("choice", "usd_per_1000_prompts").of_rows(rows, CostModel())
    return Fare(routing_rates(rows.chosen, rows.needed, rows.weights), usd)


@pytest.mark.parametrize("policy", [None, RiskPolicy(0.3)], ids=["unknown", "risk"])
def test_a_policy_that_never_abstains_has_nothing_to_tell_of_it(policy: Policy | None) -> None:
    found = evaluation_of(noisy_rows(60), policy=policy)
    assert found.abstained is None
    assert "choice_not_abstaining" not in {rival.key for rival in found.rivals}
    assert "bstain" not in evaluation_text(found)
    assert "bstain" not in evaluation_html(found)


def test_reports_say_how_the_abstaining_prompts_fare() -> None:
    found = evaluation_of(abstaining_rows(), policy=ABSTAINING)
    for report in (evaluation_text(found), evaluation_html(found)):
        assert "model, not abstaining" in report
        assert "The policy abstains on" in report
    assert json.loads(json.dumps(found.as_dict()))["abstained"]["rows"] > 0


def test_reports_say_that_a_policy_abstained_on_nothing() -> None:
    found = evaluation_of(noisy_rows(60), policy=AbstainingPolicy(RiskPolicy(0.3), least_known=0.1))
    assert "did so on none of these prompts" in evaluation_text(found)


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
