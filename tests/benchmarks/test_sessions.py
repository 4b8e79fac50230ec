from pathlib import Path

import pytest

from classifier import TIERS, TierPredictor
from serving import RouterConfig
from tests.benchmarks.cli import SECTIONS
from tests.benchmarks.sessions import Played, Replay, conversations_of, replay, session_rows
from tests.training.fits import all_rows

CHEAP, BALANCED, PREMIUM = TIERS


@pytest.fixture(scope="module")
def few() -> Replay:
    data = all_rows()
    chosen = data.frame["is_conversation"] & data.frame["id"].str.endswith("7")
    return Replay(data.where(chosen.to_numpy()), TierPredictor.default())


def test_flips_are_changes_from_one_request_to_the_next() -> None:
    assert Played((CHEAP, PREMIUM, PREMIUM, CHEAP), 0.0, CHEAP).flips == 2
    assert Played((CHEAP,), 0.0, CHEAP).flips == 0


def test_every_request_of_a_conversation_is_decided_on(few: Replay) -> None:
    for (requests, needed), prompt in zip(few.conversations, few.rows.frame["prompt"], strict=True):
        assert requests[-1].messages == prompt
        assert needed in TIERS
        inputs = [each.tokens.input for each in requests]
        assert inputs == sorted(inputs)


def test_sessions_flip_less_and_never_route_below_the_decision(few: Replay) -> None:
    without, played = few.play(0.1, enabled=False), few.play(0.1)
    assert sum(each.flips for each in played) < sum(each.flips for each in without)
    decided = [tuple(each.selection.tier for each in requests) for requests, _ in few.conversations]
    assert [each.tiers for each in without] == decided
    pairs = [
        pair
        for one, other in zip(played, without, strict=True)
        for pair in zip(one.tiers, other.tiers, strict=True)
    ]
    assert all(own >= plain for own, plain in pairs)


def test_cheaper_caches_never_cost_more(few: Replay) -> None:
    dear, cheap = (sum(each.usd for each in few.play(share, enabled=False)) for share in (1.0, 0.1))
    assert cheap < dear


def test_sources_can_be_told_apart(few: Replay) -> None:
    of_c4 = conversations_of(few.rows, few.predictor, ("c4",))
    assert 0 < len(of_c4) < len(few.conversations)


def test_a_conversation_of_one_turn_costs_its_tokens(few: Replay) -> None:
    requests, needed = few.conversations[0]
    first = requests[:1]
    tier = first[0].selection.tier
    assert tier is not None
    price = RouterConfig().price(RouterConfig().tier(tier).model)
    assert price is not None
    assert replay(first, needed, RouterConfig()).usd == pytest.approx(price.of(first[0].tokens))


def test_it_is_a_section() -> None:
    assert SECTIONS["sessions"][1] is session_rows
    assert Path("data").is_dir()
