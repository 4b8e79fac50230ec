import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import PromotionError
from training.promotion_history import (
    KEPT,
    Change,
    champions,
    dump_changes,
    parse_changes,
    settled,
    with_change,
)

FIRST = Change("promoted", "2026-11-22", None, 1)
SECOND = Change("promoted", "2026-11-23", 1, 4)
MOVES = st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=40)


@given(MOVES)
def test_replaying_the_changes_is_a_stack(moves: list[int | None]) -> None:
    """A number promotes that version, None rolls back; what is replayed is what a stack would hold."""
    stack: list[int] = []
    changes: tuple[Change, ...] = ()
    for version in moves:
        before = stack[-1] if stack else None
        if version is not None and version != before:
            stack.append(version)
            changes = (*changes, Change("promoted", "", before, version))
        elif version is None and len(stack) > 1 and stack[-2] not in stack[-1:]:
            stack.pop()
            changes = (*changes, Change("rolled back", "", before, stack[-1]))
    assert champions(changes) == tuple(stack)


@given(MOVES)
def test_the_kept_changes_end_with_the_present_champion_and_fit_a_tag(moves: list[int | None]) -> None:
    changes: tuple[Change, ...] = ()
    present: int | None = None
    for version in moves:
        if version is not None:
            changes = with_change(
                changes, Change("promoted", "2026-11-22T19:17:25+00:00", present, version, "x" * 500)
            )
            present = version
    assert len(changes) <= KEPT
    assert len(dump_changes(changes)) <= 5000
    assert parse_changes(dump_changes(changes)) == changes
    assert champions(changes)[-1:] == (() if present is None else (present,))


@pytest.mark.parametrize(
    ("stands_on", "real"),
    [
        pytest.param(4, (FIRST, SECOND), id="as written"),
        pytest.param(1, (FIRST,), id="written down and never made"),
        pytest.param(7, (FIRST, SECOND, Change("set by hand", "", 4, 7)), id="moved by somebody else"),
        pytest.param(None, (FIRST, SECOND), id="taken away by somebody else"),
    ],
)
def test_what_happened_is_told_by_the_alias(stands_on: int | None, real: tuple[Change, ...]) -> None:
    assert settled((FIRST, SECOND), stands_on) == real


def test_an_alias_that_stood_before_there_was_a_history_begins_it() -> None:
    assert champions(settled((), 3)) == (3,)
    assert settled((), None) == ()
    assert settled((FIRST,), None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        '[{"kind": "promoted"}]',
        "[[]]",
        '[{"kind":"x","at":"","before":1,"after":2}]',
        '[{"kind":"promoted","at":"","before":"1","after":2}]',
    ],
)
def test_a_tag_that_somebody_else_wrote_is_refused(text: str) -> None:
    with pytest.raises(PromotionError, match="delete the tag"):
        parse_changes(text)
