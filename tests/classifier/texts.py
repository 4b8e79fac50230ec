"""Any text at all, and conversations made of it."""

from hypothesis import strategies as st

ALL_OF_UNICODE = st.text(st.characters(exclude_categories=()), max_size=200)
"""Every code point, lone surrogates and control characters among them."""

_PIECES = [
    *("prove", "that", "capital", "of", "France", "function", "finite", "365", "x", "é"),
    *("证明", "して", "สวัสดี", "👩‍🔬", "…", "!", "?", "\n", "\n\n", "\x00", "\ud800"),
]
WORDY = st.lists(st.sampled_from(_PIECES), max_size=60).map(" ".join)
"""Texts of which models know something."""

LINES = st.lists(ALL_OF_UNICODE, max_size=30).map("\n".join)
LONG = st.builds(lambda text, times: text * times, ALL_OF_UNICODE, st.integers(1, 400))
TEXTS = st.one_of(ALL_OF_UNICODE, WORDY, LINES, LONG)

HUGE = [
    "x" * 3_000_000,
    "\n" * 3_000_000,
    " " * 3_000_000,
    "證" * 3_000_000,
    "\ud800" * 3_000_000,
    "a b\n" * 800_000,
    "?" * 3_000_000,
]
HUGE_IDS = ["one word", "blank lines", "spaces", "Han", "surrogates", "lines", "marks"]

MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "developer", "user", "user", "user", "assistant", "tool"]),
            "content": st.one_of(st.none(), ALL_OF_UNICODE, WORDY),
        }
    ),
    min_size=1,
    max_size=14,
)
