import pytest
from hypothesis import given

from classifier.features import EXCERPT, Excerpt, text_features
from classifier.statistic import STATISTICS
from classifier.tokens import ngrams, tokenise
from tests.classifier.texts import HUGE, HUGE_IDS, TEXTS


def test_a_short_text_is_all_ask() -> None:
    features = text_features("Prove that pi is irrational.", EXCERPT)
    assert features.ask == ngrams(tokenise("Prove that pi is irrational."))
    assert features.middle is None


def test_the_middle_holds_only_what_the_ask_does_not() -> None:
    pasted = "\n".join(f"line of cargo manifest {letter}" for letter in "abcdefghij")
    above = "Sum up this cargo manifest for the captain please:"
    below = "Three lines will do, and no more than these"
    features = text_features("\n".join([above, pasted, below]), EXCERPT)
    assert features.middle is not None
    assert "cargo" in features.ask.words
    assert "cargo" not in features.middle.words
    assert not set(features.ask.pairs) & set(features.middle.pairs)


@given(TEXTS)
def test_every_text_has_every_statistic(text: str) -> None:
    assert len(text_features(text, EXCERPT).statistics) == len(STATISTICS)


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_a_huge_text_is_read_at_its_ends(text: str) -> None:
    features = text_features(text, EXCERPT)
    found = len(features.ask.words) + len(features.middle.words if features.middle else ())
    assert found <= 2 * EXCERPT.window + 1


def test_what_stands_between_the_ends_is_not_looked_at() -> None:
    top, bottom = "Sum this up. " * 10, " In three lines." * 10
    excerpt = Excerpt(window=100, ask=40, middle_weight=0.3)
    one, other = (text_features(top + between * 500 + bottom, excerpt) for between in ("prove ", "cheap "))
    assert one.ask == other.ask
    assert one.middle == other.middle
    assert one.statistics[1:] == other.statistics[1:]
