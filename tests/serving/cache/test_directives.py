import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.cache.directives import Directives

NAMES = ("no-store", "no-cache", "only-if-cached", "max-age=5", "min-fresh=5", "max-stale=5", "max-stale")


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("", Directives()),
        (" , ,", Directives()),
        ("no-store", Directives(no_store=True, said=True)),
        ("No-Cache, MAX-AGE=60", Directives(no_cache=True, max_age=60, said=True)),
        ("max-age=60,only-if-cached", Directives(max_age=60, only_if_cached=True, said=True)),
        ("max-stale", Directives(max_stale=2**31, said=True)),
        ("max-stale=30, min-fresh=10", Directives(max_stale=30, min_fresh=10, said=True)),
        ('max-age="60"', Directives(max_age=60, said=True)),
        ("max-age=99999999999999999999999", Directives(max_age=2**31, said=True)),
        ("max-age=60, max-age=10", Directives(max_age=10, said=True)),
        ("min-fresh=1, min-fresh=10", Directives(min_fresh=10, said=True)),
        ('private="no-store, max-age=1", max-age=7', Directives(max_age=7, said=True)),
        ("stale-if-error=60, immutable", Directives(said=True)),
    ],
)
def test_a_header_is_read(header: str, asked: Directives) -> None:
    assert Directives.of(header) == asked


@pytest.mark.parametrize(
    "header",
    [
        "max-age=-1",
        "max-age",
        "max-age=1.5",
        "max-age=soon",
        "min-fresh",
        "max-age=٣",
        "a b",
        '"',
        "max-age=60;",
    ],
)
def test_what_cannot_be_read_gives_a_fresh_answer(header: str) -> None:
    asked = Directives.of(header)
    assert asked.no_cache
    assert not asked.no_store
    assert not asked.asks
    assert not asked.allows(0.0, 60.0)


def test_a_wish_not_to_be_stored_is_kept_whatever_else_is_wrong() -> None:
    assert Directives.of("max-age=soon, No-Store").no_store


@pytest.mark.parametrize(
    ("header", "asks"),
    [
        ("", False),
        ("no-cache", False),
        ("max-age=0", False),
        ("no-store", False),
        ("no-store, max-age=60", False),
        ("max-age=60", True),
        ("no-cache, max-age=60", True),
        ("only-if-cached", True),
        ("max-stale", True),
        ("max-stale=0", True),
        ("min-fresh=1", True),
    ],
)
def test_who_asks_for_stored_answers(header: str, asks: bool) -> None:
    assert Directives.of(header).asks is asks


@pytest.mark.parametrize(
    ("header", "age", "allowed"),
    [
        ("", 60.0, True),
        ("", 60.1, False),
        ("max-age=10", 10.0, True),
        ("max-age=10", 10.1, False),
        ("max-age=100", 61.0, False),
        ("min-fresh=20", 40.0, True),
        ("min-fresh=20", 41.0, False),
        ("max-stale=30", 90.0, True),
        ("max-stale=30", 91.0, False),
        ("max-stale", 1e8, True),
        ("max-stale, max-age=70", 71.0, False),
        ("no-cache", 0.0, False),
        ("no-store", 0.0, False),
        ("only-if-cached", 1.0, True),
    ],
)
def test_an_answer_of_a_minute_is_used_as_long_as_the_caller_says(
    header: str, age: float, allowed: bool
) -> None:
    assert Directives.of(header).allows(age, 60.0) is allowed


@given(st.text())
def test_any_text_is_read(header: str) -> None:
    Directives.of(header)


@given(st.lists(st.sampled_from(NAMES)), st.sampled_from([",", ", ", " ,\t", ",,"]))
def test_the_order_of_directives_does_not_matter(names: list[str], comma: str) -> None:
    flags = sorted(set(names))
    assert Directives.of(comma.join(flags)).no_store == ("no-store" in flags)
    assert Directives.of(comma.join(flags)).no_cache == Directives.of(comma.join(flags[::-1])).no_cache
