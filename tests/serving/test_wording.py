"""Numbers and texts as the commands print them."""

from hypothesis import given
from hypothesis import strategies as st

from serving.wording import fit, one_line, printable, width, wrapped

ANY_TEXT = st.text(st.characters())  # lone surrogates and control characters included


@given(ANY_TEXT, st.integers(1, 60))
def test_a_fitted_text_never_takes_more_columns_than_it_may(text: str, columns: int) -> None:
    assert width(fit(text, columns)) <= columns


@given(ANY_TEXT)
def test_a_text_that_fits_is_left_alone(text: str) -> None:
    assert fit(text, width(text)) == text


@given(ANY_TEXT, st.integers(6, 60))
def test_a_wrapped_text_keeps_every_letter_within_its_columns(text: str, columns: int) -> None:
    lines = wrapped(one_line(text), columns, "  ")
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(one_line(text).split())


@given(ANY_TEXT)
def test_one_line_is_one_line_that_any_stream_can_encode(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")


@given(ANY_TEXT)
def test_nothing_printable_steers_a_terminal(text: str) -> None:
    assert not set(printable(text)) & {"\x1b", "\x07", "\x08", "\r", "\x9b", "\x7f"}
