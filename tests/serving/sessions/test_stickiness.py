import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Decision, Tier
from classifier.policies import RiskPolicy, risk
from serving.sessions.memory import Remembered
from serving.sessions.settings import SessionSettings, ToolTurns
from serving.sessions.stickiness import Turn, settle
from serving.sessions.turns import Kind
from tests.serving.sessions.turns import MODELS, decision, offers, remembered, turn

CHEAP, BALANCED, PREMIUM = TIERS
SETTINGS = SessionSettings()
NOW = 1010.0


def test_a_harder_ask_moves_up_at_once() -> None:
    settled = settle(remembered(CHEAP), turn(PREMIUM, Kind.FOLLOW_UP), offers(0.1), SETTINGS, NOW)
    assert (settled.tier, settled.why) == (PREMIUM, "the ask got harder: up from cheap")


def test_an_ask_of_the_same_tier_says_nothing() -> None:
    settled = settle(remembered(BALANCED), turn(BALANCED), offers(0.1), SETTINGS, NOW)
    assert (settled.tier, settled.why, settled.keeps) == (BALANCED, "", None)


@pytest.mark.parametrize("kind", [Kind.ASSENT, Kind.TOOL], ids=["assent", "tool"])
def test_a_go_ahead_and_a_tool_s_result_keep_the_tier(kind: Kind) -> None:
    settled = settle(remembered(PREMIUM), turn(CHEAP, kind), offers(), SETTINGS, NOW)
    assert settled.tier is PREMIUM
    assert settled.why == f"the conversation keeps premium: this is {kind.value}"


@pytest.mark.parametrize(
    ("needed", "tier"), [(0.1, PREMIUM), (0.09, CHEAP)], ids=["it may need it", "it is clearly easier"]
)
def test_a_short_follow_up_keeps_the_tier_unless_it_is_clearly_easier(needed: float, tier: Tier) -> None:
    follow_up = turn(CHEAP, Kind.FOLLOW_UP, probabilities=(1 - needed, 0.0, needed))
    assert settle(remembered(PREMIUM), follow_up, offers(), SETTINGS, NOW).tier is tier


def test_at_zero_every_short_follow_up_keeps_the_tier() -> None:
    settings = SessionSettings(keep_above=0.0)
    assert settle(remembered(PREMIUM), turn(CHEAP, Kind.FOLLOW_UP), offers(), settings, NOW).tier is PREMIUM


def test_an_easier_ask_leaves_premium_although_its_cache_is_lost() -> None:
    settled = settle(remembered(PREMIUM), turn(CHEAP), offers(0.1), SETTINGS, NOW)
    assert settled.tier is CHEAP
    assert settled.why.startswith("the conversation moves from premium to cheap: it saves $0.00")


def test_an_easier_ask_stays_with_balanced_where_its_cache_is_worth_more() -> None:
    settled = settle(remembered(BALANCED), turn(CHEAP), offers(0.1), SETTINGS, NOW)
    assert settled.tier is BALANCED
    assert "moving to cheap costs $0.00" in settled.why
    assert "more, with the prompt cache that would be lost" in settled.why


def test_where_no_cached_price_is_known_nothing_is_known_to_be_lost() -> None:
    assert settle(remembered(BALANCED), turn(CHEAP), offers(), SETTINGS, NOW).tier is CHEAP


def test_a_fallback_s_provider_has_the_cache_and_not_the_tier_s() -> None:
    known = remembered(BALANCED, model=MODELS[CHEAP])
    assert settle(known, turn(CHEAP), offers(0.1), SETTINGS, NOW).tier is CHEAP


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_after_a_pause_nothing_is_kept(kind: Kind) -> None:
    known = remembered(BALANCED)
    later = known.at + SETTINGS.pause_seconds
    assert settle(known, turn(CHEAP, kind), offers(0.1), SETTINGS, later).tier is BALANCED
    settled = settle(known, turn(CHEAP, kind), offers(0.1), SETTINGS, later + 0.5)
    assert (settled.tier, settled.why) == (CHEAP, "")


class TestToolTurnsToTheCheapTier:
    settings = SessionSettings(tool_turns=ToolTurns.CHEAP)

    def test_they_go_there_where_it_saves_and_the_conversation_keeps_its_tier(self) -> None:
        settled = settle(remembered(PREMIUM), turn(PREMIUM, Kind.TOOL), offers(0.1), self.settings, NOW)
        assert (settled.tier, settled.keeps) == (CHEAP, PREMIUM)
        assert settled.why.startswith("this is a turn that only carries a tool's result: it saves $0.0")

    def test_they_stay_where_the_cache_is_worth_more(self) -> None:
        settled = settle(remembered(BALANCED), turn(CHEAP, Kind.TOOL), offers(0.1), self.settings, NOW)
        assert (settled.tier, settled.keeps) == (BALANCED, None)

    def test_what_the_human_says_next_gets_the_conversation_s_tier(self) -> None:
        known = remembered(PREMIUM, model=MODELS[CHEAP])
        settled = settle(known, turn(CHEAP, Kind.ASSENT), offers(0.1), self.settings, NOW)
        assert settled.tier is PREMIUM


PROBABILITIES = st.tuples(*[st.floats(0.001, 1)] * 3).map(
    lambda raw: (raw[0] / sum(raw), raw[1] / sum(raw), raw[2] / sum(raw))
)
KNOWN = st.builds(
    Remembered,
    st.sampled_from(TIERS),
    st.sampled_from([*MODELS.values(), "vendor/other"]),
    st.integers(0, 100_000),
    st.none() | st.integers(0, 5_000),
    st.just(1000.0),
)
SHARES = st.none() | st.floats(0, 1)
KINDS = st.sampled_from(Kind)
FRESH = st.integers(0, 20_000)
POLICY = RiskPolicy(0.375)


def judged(probabilities: tuple[float, float, float], kind: Kind, fresh: int) -> Turn:
    tier = POLICY.choose(probabilities)
    return Turn(Decision(tier, probabilities, risk(probabilities, tier), 1.0, "", ""), kind, fresh)


@given(KNOWN, PROBABILITIES, KINDS, FRESH, SHARES)
def test_no_turn_gets_less_than_was_decided_on(
    known: Remembered, chances: tuple[float, float, float], kind: Kind, fresh: int, share: float | None
) -> None:
    asked = judged(chances, kind, fresh)
    settled = settle(known, asked, offers(share), SETTINGS, NOW)
    assert asked.decision.tier <= settled.tier <= max(known.tier, asked.decision.tier)


@given(KNOWN, PROBABILITIES, KINDS, FRESH, SHARES)
def test_an_ask_that_is_harder_never_gets_a_cheaper_tier(
    known: Remembered, chances: tuple[float, float, float], kind: Kind, fresh: int, share: float | None
) -> None:
    asked = [Turn(decision(tier, chances), kind, fresh) for tier in TIERS]
    tiers = [settle(known, each, offers(share), SETTINGS, NOW).tier for each in asked]
    assert tiers == sorted(tiers)


@given(KNOWN, PROBABILITIES, FRESH)
def test_without_a_cached_price_an_easier_ask_always_moves_down(
    known: Remembered, chances: tuple[float, float, float], fresh: int
) -> None:
    asked = judged(chances, Kind.ASK, fresh + 1)
    assert settle(known, asked, offers(), SETTINGS, NOW).tier is asked.decision.tier


@given(KNOWN, PROBABILITIES, KINDS, FRESH)
def test_the_longer_the_cached_prompt_the_rather_a_conversation_stays(
    known: Remembered, chances: tuple[float, float, float], kind: Kind, fresh: int
) -> None:
    held = remembered(known.tier, input_tokens=known.input_tokens)
    longer = remembered(known.tier, input_tokens=known.input_tokens * 2 + 1)
    asked = judged(chances, kind, fresh)
    tiers = [settle(each, asked, offers(0.05), SETTINGS, NOW).tier for each in (held, longer)]
    assert tiers[0] <= tiers[1] or known.tier is PREMIUM
