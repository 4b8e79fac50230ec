"""`python -m training tune`: what it writes and prints, and what it says about mistakes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier import BoundedPolicy, Tier, TierPredictor
from classifier.cli import main as classify
from classifier.model_file import write_model
from classifier.policies import AbstainingPolicy, ExpectedCostPolicy, RiskPolicy
from tests.training.fits import some_rows, write_rows
from training.cli import main
from training.labelled import LabelledData, read_labelled

Printed = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def labelled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hundred labelled rows."""
    return write_rows(some_rows(), tmp_path_factory.mktemp("rows") / "rows.jsonl")


@pytest.fixture(scope="module")
def outcome_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outcomes of three tiers on those prompts, with bills and labels."""
    random = np.random.default_rng(0)
    columns = (some_rows().frame[name].tolist() for name in ("prompt", "tier"))
    rows = [
        {
            "messages" if isinstance(prompt, list) else "prompt": prompt,
            "tier": ("cheap", "balanced", "premium")[tier],
            **{
                f"score:{name}": float(rank >= tier)
                for rank, name in enumerate(("cheap", "balanced", "premium"))
            },
            **{f"usd:{name}": usd * random.uniform(0.5, 2) for name, usd in PRICES.items()},
        }
        for prompt, tier in zip(*columns, strict=True)
    ]
    file = tmp_path_factory.mktemp("outcomes") / "outcomes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


PRICES = {"cheap": 0.0002, "balanced": 0.0003, "premium": 0.002}


def tune(*arguments: str | Path) -> int:
    return main(["tune", *map(str, arguments)])


def error_of(printed: Printed) -> str:
    out, err = printed.readouterr()
    (line,) = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert out == ""
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (["--max-under-routing", "0.15"], "max_under_routing"),
        (["--max-under-routing", "0.15", "--on-average"], "max_under_routing"),
        (["--premium-share", "0.2"], "premium_share"),
        (["--usd-per-1k", "0.9"], "usd_per_1000_prompts"),
        (["--quality", "0.9"], "quality_of_premium"),
    ],
    ids=["promise", "on average", "premium share", "dollars", "quality"],
)
def test_the_model_file_keeps_the_policy_and_what_it_was_chosen_for(
    labelled_file: Path, tmp_path: Path, capsys: Printed, target: Sequence[str], kind: str
) -> None:
    out = tmp_path / "tuned.tierwise"
    assert tune("default", labelled_file, *target, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    predictor = TierPredictor.load(out)
    record = predictor.provenance["policy_chosen_for"]
    assert told == {
        **record,
        "policy": predictor.policy.as_dict(),
        "written": str(out),
        "version": predictor.version,
    }
    assert record["target"]["kind"] == kind
    assert record["data"] == {"digest": read_labelled(labelled_file, rows_per_tier=0).digest, "part": "all"}
    default = TierPredictor.default()
    prompt = "Compare two ways to sort a list."
    assert predictor.predict_proba([prompt]) == default.predict_proba([prompt])
    assert predictor.provenance["training_data"] == default.provenance["training_data"]


def test_outcomes_are_taken_by_their_columns_and_their_bills_are_used(
    outcome_file: Path, tmp_path: Path, capsys: Printed
) -> None:
    out = tmp_path / "tuned.tierwise"
    assert tune("default", outcome_file, "--quality", "0.9", "--policy", "expected-cost", "--out", out) == 0
    text = capsys.readouterr().out
    assert "(outcomes; digest" in text
    assert "Dollars are those of the outcome table." in text
    policy = TierPredictor.load(out).policy
    assert isinstance(policy, ExpectedCostPolicy)
    assert policy.tier_usd == pytest.approx([usd * 1.25 for usd in PRICES.values()], rel=0.1)


def test_a_table_of_two_tiers_says_whose_answers_stand_for_the_third(
    outcome_file: Path, tmp_path: Path, capsys: Printed
) -> None:
    columns = ("--cheap", "score:cheap", "--premium", "score:premium")
    assert tune("default", outcome_file, *columns, "--premium-share", "0.4", "--out", tmp_path / "m") == 0
    text = capsys.readouterr().out
    assert "balanced was not scored: premium's answers stand for its own" in text
    assert "always balanced" not in text


def test_a_model_that_was_never_trained_on_cheap_is_kept_from_it(
    labelled_file: Path, tmp_path: Path, capsys: Printed
) -> None:
    model = replace(TierPredictor.default().model, provenance={"tiers": ["balanced", "premium"]})
    write_model(model, tmp_path / "m")
    target = ("--premium-share", "0.2", "--policy", "risk")
    assert tune(tmp_path / "m", labelled_file, *target, "--out", tmp_path / "m", "--json") == 0
    policy = TierPredictor.load(tmp_path / "m").policy
    assert isinstance(policy, BoundedPolicy)
    assert (policy.floor, policy.ceiling) == (Tier.BALANCED, Tier.PREMIUM)
    assert json.loads(capsys.readouterr().out)["policy"] == policy.as_dict()


def test_a_model_may_be_tuned_in_place_and_again(
    labelled_file: Path, tmp_path: Path, capsys: Printed
) -> None:
    model = tmp_path / "model.tierwise"
    write_model(TierPredictor.default().model, model)
    assert tune(model, labelled_file, "--premium-share", "0.2", "--policy", "risk", "--out", model) == 0
    first = TierPredictor.load(model)
    assert isinstance(first.policy, RiskPolicy)
    assert tune(model, labelled_file, "--premium-share", "0.2", "--policy", "risk", "--out", model) == 0
    assert TierPredictor.load(model).version == first.version  # the same question has the same answer
    capsys.readouterr()
    assert classify(["--model", str(model), "hello"]) == 0
    assert first.policy.describe() in capsys.readouterr().out


def test_abstaining_is_stored_and_told(labelled_file: Path, tmp_path: Path, capsys: Printed) -> None:
    out = tmp_path / "tuned.tierwise"
    asked = ("--abstain-below-known", "0.4", "--abstain-below-top", "0.45", "--safe-tier", "premium")
    assert tune("default", labelled_file, "--quality", "0.9", *asked, "--out", out) == 0
    policy = TierPredictor.load(out).policy
    assert isinstance(policy, AbstainingPolicy)
    assert (str(policy.safe_tier), policy.least_known, policy.least_top) == ("premium", 0.4, 0.45)
    assert "abstaining, to premium" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fitted_on", "part"),
    [(["train", "validation"], "test"), (["train"], "validation")],
    ids=["refitted", "not refitted"],
)
@pytest.mark.parametrize("as_outcomes", [True, False], ids=["outcomes", "labels"])
def test_only_rows_that_the_model_was_not_fitted_on_are_used(
    labelled: LabelledData,
    tmp_path: Path,
    capsys: Printed,
    fitted_on: list[str],
    part: str,
    as_outcomes: bool,
) -> None:
    file = write_rows(labelled.where(np.arange(len(labelled)) % 10 == 0), tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    scored = [{**row, "score:cheap": 0.5, "score:premium": 1.0} for row in rows] if as_outcomes else rows
    file.write_text("".join(json.dumps(row) + "\n" for row in scored))
    model = TierPredictor.default().model
    facts = {"digest": read_labelled(file).digest, "fitted_on": fitted_on}
    write_model(replace(model, provenance={"training_data": facts}), tmp_path / "m")
    assert tune(tmp_path / "m", file, "--premium-share", "0.5", "--out", tmp_path / "m", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["data"]["part"] == part
    assert err == f"note: fitted on parts of this data: judged by its {part} rows\n"


def test_a_model_fitted_on_everything_is_not_tuned_on_it(
    labelled_file: Path, tmp_path: Path, capsys: Printed
) -> None:
    facts = {"digest": read_labelled(labelled_file).digest, "fitted_on": ["train", "validation", "test"]}
    model = replace(TierPredictor.default().model, provenance={"training_data": facts})
    write_model(model, tmp_path / "m")
    assert tune(tmp_path / "m", labelled_file, "--premium-share", "0.2", "--out", tmp_path / "n") == 1
    assert "every part of this data was fitted on, so nothing is left" in error_of(capsys)
    assert (
        tune(
            tmp_path / "m", labelled_file, "--premium-share", "0.2", "--part", "all", "--out", tmp_path / "n"
        )
        == 0
    )
    assert "note: some of these rows were fitted on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--usd-per-1k", "0.01"], "cannot be had: the least is USD 0."),
        (["--max-under-routing", "0.001"], "cannot be promised with"),
        (["--max-under-routing", "0.1", "--confidence", "1.5"], "confidence is 1.5"),
        (["--quality", "0.9", "--confidence", "0.8"], "belong to --max-under-routing"),
        (["--quality", "0.9", "--on-average"], "belong to --max-under-routing"),
        (["--max-under-routing", "0.1", "--on-average", "--confidence", "0.8"], "give one of them"),
        (["--max-under-routing", "0.1", "--on-average", "--policy", "best"], "give --policy risk or"),
        (["--quality", "0.9", "--abstain-below-top", "0.2"], "the highest is at least 1/3"),
        (["--quality", "0.9", "--safe-tier", "premium"], "--safe-tier needs --abstain-below-known or"),
        (["--usd-per-1k", "nan"], "budget is nan"),
        (["--quality", "0.9", "--cheap", "nope", "--premium", "tier"], "nope"),
    ],
    ids=[
        *("too few dollars", "too little risk", "confidence", "misplaced confidence", "misplaced average"),
        *("two promises", "best on average", "never abstains", "idle safe tier", "nan", "no such column"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    labelled_file: Path, tmp_path: Path, capsys: Printed, arguments: Sequence[str], match: str
) -> None:
    assert tune("default", labelled_file, *arguments, "--out", tmp_path / "x") == 1
    assert match in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_few_rows_are_refused(tmp_path: Path, capsys: Printed) -> None:
    few = write_rows(some_rows().where(np.arange(len(some_rows())) < 40), tmp_path / "rows.jsonl")
    assert tune("default", few, "--quality", "0.9", "--out", tmp_path / "x") == 1
    assert "give a hundred or more" in error_of(capsys)


def test_a_file_that_cannot_be_written_is_refused_first(tmp_path: Path, capsys: Printed) -> None:
    assert tune("default", "no such data", "--quality", "0.9", "--out", tmp_path / "no" / "x") == 1
    assert "there is no folder" in error_of(capsys)


@pytest.mark.parametrize(
    "arguments", [[], ["--quality", "0.9", "--premium-share", "0.1"]], ids=["no target", "two targets"]
)
def test_exactly_one_target_is_asked_for(tmp_path: Path, arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        tune("default", "data", *arguments, "--out", tmp_path / "x")
