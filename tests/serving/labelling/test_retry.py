"""What a failure means, and how long to wait."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.labelling.retry import retry_after

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        ("nan", None),
        ("inf", None),
        ("later", None),
        ("", None),
        ("Thu, 99 Jan 9999 00:00:00 GMT", None),
    ],
    ids=lambda value: f"{value!r}",
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


@given(st.text())
def test_any_header_is_seconds_or_nothing(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)
    assert wait is None or wait >= 0


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after({}, NOW) is None
