import csv
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from serving import RouterConfig
from serving.latency import Percentiles
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome
from serving.spending.report import By, Report, build_report
from serving.spending.report_text import csv_text, report_text
from tests.serving.spending.logged import a_request, an_attempt

CONFIG = RouterConfig()
UTC, AUCKLAND = ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")
CHEAP, BALANCED, PREMIUM = (CONFIG.tier(tier).model for tier in TIERS)
FAILED = {"outcome": Outcome.FAILED, "usd": 0.0, "input_tokens": None, "output_tokens": None, "status": 503}
LOST = {"outcome": Outcome.UNKNOWN, "usd": None, "input_tokens": None, "output_tokens": None}
LEFT = {**LOST, "outcome": Outcome.CANCELLED}
MILLION = {"input_tokens": 500_000, "output_tokens": 500_000}


def report(*rows: LedgerRow, by: By = By.TIER, zone: ZoneInfo = UTC, against: str | None = None) -> Report:
    return build_report(sorted(rows, key=lambda row: row.at), CONFIG, by, zone, against=against)


def test_requests_are_told_from_attempts() -> None:
    fell_back = a_request(1, FAILED, {"model": BALANCED, "fell_back": True, "usd": 0.00028})
    total = report(*fell_back, an_attempt(2), an_attempt(3, **FAILED), an_attempt(4, **LEFT)).total
    assert (total.requests, total.attempts, total.failed_attempts) == (4, 5, 2)
    assert (total.answered, total.failed, total.cancelled, total.fallbacks) == (2, 1, 1, 1)
    assert total.usd == pytest.approx(0.00053)


def test_what_a_budget_sent_lower_is_no_fallback() -> None:
    at_the_cap = an_attempt(1, tier="premium", model=BALANCED, fell_back=True, chosen_by=ChosenBy.BUDGET)
    found = report(at_the_cap, an_attempt(2, tier="balanced", model=BALANCED, chosen_by=ChosenBy.BUDGET))
    assert (found.total.lowered, found.total.fallbacks) == (2, 0)
    assert "2 requests sent to a lower tier by a budget" in report_text(found, CONFIG, {})


def test_estimated_and_unknown_costs_are_told_apart() -> None:
    total = report(an_attempt(1), an_attempt(2, estimated=True), an_attempt(3, **LOST)).total
    assert (total.estimated, total.unknown) == (1, 1)
    assert total.usd == 2 * total.estimated_usd == 0.0005
    assert (total.input_tokens, total.output_tokens) == (1200, 800)


def test_savings_are_token_for_token() -> None:
    found = report(
        an_attempt(1, **MILLION, usd=0.25),
        an_attempt(2, **MILLION, usd=2.5, tier="premium", model=PREMIUM),
        an_attempt(3, **LOST),
    )
    summary = found.summary
    assert summary.tier_usd == 2.75
    assert summary.always_usd == pytest.approx({"cheap": 0.5, "balanced": 0.56, "premium": 5.0})
    assert summary.saved_usd(Tier.PREMIUM) == pytest.approx(2.25)
    assert summary.saved_usd(Tier.BALANCED) == pytest.approx(-2.19)
    assert found.cheap_requests == 1
    assert found.cheap_saved_usd == pytest.approx(0.03)
    assert found.cheap_saved_share == pytest.approx(0.03 / 0.56)


def test_another_model_can_be_compared_with() -> None:
    assert report(an_attempt(1, **MILLION), against=PREMIUM).against_usd == pytest.approx(2.5)


def test_models_that_callers_named_are_spent_and_not_compared() -> None:
    named = an_attempt(1, tier=None, chosen_by=ChosenBy.CALLER, requested="x/y", model="x/y", usd=9.0)
    found = report(named, an_attempt(2))
    assert found.total.usd == pytest.approx(9.00025)
    assert found.summary.tier_usd == 0.00025
    assert list(found.groups) == ["cheap", "named"]


def test_a_fallback_from_cheap_is_no_saving_of_cheap() -> None:
    found = report(*a_request(1, FAILED, {"model": BALANCED, "fell_back": True}))
    assert (found.cheap_requests, found.cheap_saved_usd) == (0, 0.0)


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        (By.TIER, ["cheap", "premium"]),
        (By.MODEL, [PREMIUM, BALANCED, CHEAP]),
        (By.KEY, ["4f1d", "no key"]),
        (By.DAY, ["2026-11-21", "2026-11-22"]),
    ],
)
def test_rows_are_put_together(by: By, groups: list[str]) -> None:
    found = report(
        an_attempt(-3600, tier="premium", model=PREMIUM, usd=2.5, key_id="4f1d"),
        *a_request(1, FAILED, {"model": BALANCED, "fell_back": True, "usd": 0.28}),
        by=by,
    )
    assert list(found.groups) == groups
    assert sum(each.attempts for each in found.groups.values()) == found.total.attempts == 3


def test_a_request_counts_at_every_model_that_it_asked() -> None:
    found = report(*a_request(1, FAILED, {"model": BALANCED, "fell_back": True}), by=By.MODEL)
    assert found.groups[CHEAP].failed == 1
    assert found.groups[BALANCED].answered == found.groups[BALANCED].fallbacks == 1
    assert found.total.requests == 1


def test_days_are_those_of_the_zone() -> None:
    row = an_attempt(0, at=1_795_346_400.0)
    assert list(report(row, by=By.DAY, zone=UTC).groups) == ["2026-11-22"]
    assert list(report(row, by=By.DAY, zone=AUCKLAND).groups) == ["2026-11-23"]


def test_latencies_are_those_of_answered_requests_by_tier() -> None:
    slow = a_request(1, FAILED, {"model": BALANCED, "first_token_seconds": 5.0, "total_seconds": 9.0})
    found = report(*slow, an_attempt(2), an_attempt(3, **FAILED, total_seconds=99.0))
    cheap = found.summary.latencies["cheap"]
    assert cheap.first_token == Percentiles(2, 0.2, 5.0, 5.0)
    assert cheap.total == Percentiles(2, 1.0, 9.0, 9.0)
    assert cheap.routing is None


def test_what_direct_providers_answered_is_told_apart() -> None:
    direct = {"model": "direct-chat", "channel": "break-glass", "fell_back": True, "usd": 0.5}
    found = report(*a_request(1, FAILED, direct), an_attempt(2, usd=0.25))
    assert (found.total.break_glass, found.total.break_glass_usd, found.total.usd) == (1, 0.5, 0.75)
    assert "1 answer by break-glass, past an aggregator out of reach, for $0.500000 of it" in report_text(
        found, CONFIG, {}
    )
    assert found.as_dict()["total"]["break_glass_answers"] == 1
    assert "break-glass" not in report_text(report(an_attempt(2)), CONFIG, {})


def test_an_empty_ledger_comes_to_nothing() -> None:
    found = report()
    assert (found.total.requests, found.total.usd, found.groups) == (0, 0.0, {})
    assert found.cheap_saved_share is None


def test_it_becomes_json() -> None:
    told: Any = json.loads(json.dumps(report(an_attempt(1), against=PREMIUM).as_dict()))
    assert told["groups"]["cheap"]["usd"] == 0.00025
    assert told["against"]["saved_usd"] == pytest.approx(0.00225)
    assert told["latency_seconds"]["cheap"]["total"]["p99"] == 1.0
    assert told["cheap_over_balanced"]["share_of_always_balanced"] == pytest.approx(0.03 / 0.28)


@given(st.lists(st.tuples(st.sampled_from(TIERS), st.integers(0, 10**6), st.integers(0, 10**6))))
def test_what_was_spent_lies_between_always_cheap_and_always_premium(
    calls: list[tuple[Tier, int, int]],
) -> None:
    rows = [
        an_attempt(
            number,
            tier=tier.label,
            model=CONFIG.tier(tier).model,
            input_tokens=read,
            output_tokens=written,
            usd=(read + written) * (0.25, 0.28, 2.5)[tier] / 1e6,
        )
        for number, (tier, read, written) in enumerate(calls)
    ]
    summary = report(*rows).summary
    assert summary.always_usd["cheap"] <= summary.tier_usd * (1 + 1e-12) + 1e-12
    assert summary.tier_usd <= summary.always_usd["premium"] * (1 + 1e-12) + 1e-12


def test_the_text_tells_all_of_it() -> None:
    rows = [*a_request(1, FAILED, {"model": BALANCED, "fell_back": True}), an_attempt(2, **MILLION, usd=0.25)]
    rows += [an_attempt(3, estimated=True), an_attempt(4, **LEFT)]
    text = report_text(report(*rows, against=PREMIUM), CONFIG, {})
    for told in (
        "requests   4 in 5 attempts (1 failed): 3 answered (1 by a fallback), 0 failed, 1 cancelled",
        "1 attempt without usage from upstream",
        "1 attempt of unknown cost, in no sum here: the upstream may bill them",
        "another model would have said other things",
        "always premium",
        "always another",
        "cheap answered 2 requests (50%), which saved $0.030030 over balanced: 10.7% of always balanced",
        "first token",
    ):
        assert told in text
    assert max(map(len, text.splitlines())) <= 110


def test_keys_are_told_with_their_names_and_nothing_steers_a_terminal() -> None:
    rows = [an_attempt(1, key_id="4f1d"), an_attempt(2, key_id="5e2c", model="x\x1b[2J")]
    assert "4f1d shop" in report_text(report(*rows, by=By.KEY), CONFIG, {"4f1d": "shop"})
    assert "\x1b" not in report_text(report(*rows, by=By.MODEL), CONFIG, {})


def test_csv_has_a_row_for_each_group_and_the_total() -> None:
    found = report(an_attempt(1, model="=HYPERLINK()"), an_attempt(2, usd=0.5), by=By.MODEL)
    read = list(csv.DictReader(csv_text(found, {}).splitlines()))
    assert [row["model"] for row in read] == [CHEAP, "'=HYPERLINK()", "total"]
    assert [float(row["usd"]) for row in read] == [0.5, 0.00025, 0.50025]


def test_csv_by_key_names_the_keys() -> None:
    found = report(an_attempt(1, key_id="4f1d"), by=By.KEY)
    assert csv_text(found, {"4f1d": "shop, east"}).splitlines()[1].startswith('4f1d,"shop, east",1,')


HIT = {
    "cache": "exact",
    "usd": 0.0,
    "saved_usd": 0.00025,
    "total_seconds": 0.001,
    "first_token_seconds": 0.001,
}


def test_a_hit_costs_nothing_saves_what_its_answer_cost_and_stands_in_no_other_sum() -> None:
    alone = report(an_attempt(1))
    found = report(an_attempt(1), an_attempt(2, **HIT), an_attempt(3, **HIT | {"saved_usd": None}))
    assert (found.total.requests, found.total.answered, found.total.hits) == (3, 3, 2)
    assert found.total.hit_rate == pytest.approx(2 / 3)
    assert found.total.cache_saved_usd == 0.00025
    assert found.total.usd == alone.total.usd
    assert (found.total.input_tokens, found.total.unknown) == (alone.total.input_tokens, 0)
    assert found.summary.always_usd == alone.summary.always_usd
    assert found.summary.latencies == alone.summary.latencies
    assert (found.cheap_requests, found.cheap_saved_usd) == (alone.cheap_requests, alone.cheap_saved_usd)


def test_hits_are_told_in_text_and_json_and_a_broken_one_is_none() -> None:
    broken = an_attempt(3, **HIT | {"outcome": Outcome.FAILED, "saved_usd": None})
    found = report(an_attempt(1), an_attempt(2, **HIT), broken, an_attempt(4))
    assert "cache      1 hit (25% of the requests), which saved $0.00025" in report_text(found, CONFIG, {})
    told = found.as_dict()["total"]
    assert (told["cache_hits"], told["cache_hit_rate"]) == (1, 0.25)
    assert told["cache_saved_usd"] == 0.00025
    assert "cache " not in report_text(report(an_attempt(1)), CONFIG, {})


def test_a_ledger_of_hits_alone_can_be_told() -> None:
    assert "1 hit (100% of the requests)" in report_text(report(an_attempt(1, **HIT)), CONFIG, {})


def test_of_no_requests_there_is_no_hit_rate() -> None:
    assert report().total.hit_rate is None
