"""What counts as a verdict, and what never does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from serving.labelling.judge import Unreadable, Verdict, read_verdict, score_of, verdict_among
from serving.labelling.record import Reply

ORDER = (Tier.PREMIUM, Tier.CHEAP, Tier.BALANCED)
GRADES = json.dumps({"comparison": "", "score_1": 5, "score_2": 1, "score_3": 4})


def said(text: str, finish: str = "stop", refusal: str = "") -> Reply:
    return Reply(text, finish, refusal)


@pytest.mark.parametrize(
    "text",
    [
        GRADES,
        f"\n {GRADES} \n",
        f"```json\n{GRADES}\n```",
        f"```\n{GRADES}\n```",
        f"<think>\nAnswer 2 {{is}} poor.\n</think>\n\n{GRADES}",
    ],
    ids=["bare", "white space", "code fence", "plain fence", "thoughts"],
)
def test_grades_go_to_the_tiers_in_the_order_of_showing(text: str) -> None:
    verdict = read_verdict(said(text), ORDER)
    assert verdict == Verdict({Tier.PREMIUM: 5, Tier.CHEAP: 1, Tier.BALANCED: 4}, ORDER)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (said(GRADES, refusal="I cannot"), "refused"),
        (said(GRADES, finish="content_filter"), "refused"),
        (said(GRADES, finish="length"), "cut off"),
        (said(""), "not JSON"),
        (said("The first one."), "not JSON"),
        (said(GRADES + GRADES), "not JSON"),
        (said(f"Here you are: {GRADES}"), "not JSON"),
        (said("[" * 100_000), "not JSON"),
        (said("[5, 4, 1]"), "lacks a grade"),
        (said(GRADES.replace("5", "6")), "lacks a grade"),
        (said(GRADES.replace("5", "0")), "lacks a grade"),
        (said(GRADES.replace("5", "4.5")), "lacks a grade"),
        (said(GRADES.replace("5", "true")), "lacks a grade"),
        (said(GRADES.replace("5", '"5"')), "lacks a grade"),
        (said(GRADES.replace("5", "null")), "lacks a grade"),
        (said(GRADES.replace("score_3", "score_4")), "lacks a grade"),
    ],
    ids=[
        "refusal",
        "filtered",
        "cut off",
        "empty",
        "prose",
        "two objects",
        "words before it",
        "deep nesting",
        "a list",
        "too high",
        "too low",
        "a fraction",
        "a truth value",
        "a text",
        "null",
        "another name",
    ],
)
def test_no_score_is_made_up(reply: Reply, reason: str) -> None:
    verdict = read_verdict(reply, ORDER)
    assert isinstance(verdict, Unreadable)
    assert reason in verdict.reason


@given(st.text())
def test_any_text_is_a_verdict_or_a_reason(text: str) -> None:
    assert isinstance(read_verdict(said(text), ORDER), Verdict | Unreadable)


@given(st.permutations(TIERS), st.tuples(*[st.integers(1, 5)] * 3))
def test_scores_lie_between_0_and_1_and_keep_the_order_of_the_grades(
    order: list[Tier], steps: tuple[int, int, int]
) -> None:
    text = json.dumps({f"score_{place}": step for place, step in enumerate(steps, start=1)})
    verdict = read_verdict(said(text), tuple(order))
    assert isinstance(verdict, Verdict)
    assert verdict.scores == {tier: score_of(step) for tier, step in zip(order, steps, strict=True)}
    assert all(0 <= score <= 1 for score in verdict.scores.values())
    assert verdict.scores[verdict.cheapest_best] == max(verdict.scores.values())


def test_the_judge_is_asked_twice_at_most() -> None:
    assert verdict_among([], ORDER) is None
    assert verdict_among([said("no")], ORDER) is None
    assert verdict_among([said("no"), said("", "length")], ORDER) == Unreadable(
        "the judge's reply was cut off: raise --judge-max-tokens"
    )
    assert isinstance(verdict_among([said("no"), said(GRADES)], ORDER), Verdict)
