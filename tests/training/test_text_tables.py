import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.text_tables import WIDTH, aligned, columns_of, printable, shortened, wrapped


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("日本", 4), ("한국", 4), ("cafe\u0301", 4)],
    ids=["empty", "latin", "Chinese", "Korean", "combining accent"],
)
def test_columns_that_a_terminal_would_use(text: str, columns: int) -> None:
    assert columns_of(text) == columns


def test_columns_line_up_whatever_the_script() -> None:
    lines = aligned([("", "n"), ("日本", "7"), ("law", "12")], indent="").splitlines()
    assert [columns_of(line) for line in lines] == [8, 8, 8]


@laws
@given(st.text(), st.integers(1, 40))
def test_a_shortened_name_fits_and_stays_on_its_line(text: str, width: int) -> None:
    short = shortened(text, width)
    assert columns_of(short) <= width
    assert short.isprintable()


def test_control_characters_never_reach_the_terminal() -> None:
    assert printable("law\x1b[2J\n\x07") == "law�[2J��"


@laws
@given(st.lists(st.text("abcdefgh 日", max_size=20), max_size=40))
def test_wrapping_keeps_all_words_and_the_width(words: list[str]) -> None:
    text = " ".join(words)
    lines = wrapped(text, "  ").splitlines()
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert all(columns_of(line) <= WIDTH for line in lines)
