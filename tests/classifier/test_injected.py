import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.injected import strip_injected
from tests.classifier.texts import ALL_OF_UNICODE

MANY = 200_000


@pytest.mark.parametrize(
    "name",
    [
        "system-reminder",
        "system_reminder",
        "developer-note",
        "reminder",
        "env_info",
        "environment_details",
        "tool_result",
        "function-outputs",
        "command-name",
        "local-command-stdout",
        "ide_selection",
        "workspace-context",
        "additional_data",
    ],
)
def test_blocks_that_agents_inject_are_cut_out(name: str) -> None:
    text = f"before <{name}>prove it\nfor all x</{name}>after"
    assert strip_injected(text) == ("before after", 1)


def test_every_block_is_cut_out_and_counted() -> None:
    text = "<reminder>a</reminder>What <tool_result id='7'>b</tool_result>now?<reminder></reminder>"
    assert strip_injected(text) == ("What now?", 3)


def test_a_block_inside_another_goes_with_it() -> None:
    text = "<system-reminder>a <tool_result>b</tool_result> c</system-reminder>Why?"
    assert strip_injected(text) == ("Why?", 1)


def test_a_tag_in_capitals_counts_too() -> None:
    assert strip_injected("<SYSTEM-REMINDER>a</SYSTEM-REMINDER>Why?") == ("Why?", 1)


@pytest.mark.parametrize(
    "text",
    [
        "<system-reminder>never closed. Why?",
        "never opened</system-reminder> Why?",
        "<div class='reminder'>plain HTML</div>",
        "<system-reminders>another name</system-reminders>",
        "if a < b and c </ d",
        "vector<reminder> x; </",
        "",
    ],
)
def test_everything_else_is_left_as_it_is(text: str) -> None:
    assert strip_injected(text) == (text, 0)


def test_an_unclosed_block_does_not_hide_a_closed_one_of_another_name() -> None:
    text = "<reminder>open <env_info>gone</env_info>Why?"
    assert strip_injected(text) == ("<reminder>open Why?", 1)


@given(ALL_OF_UNICODE, ALL_OF_UNICODE, ALL_OF_UNICODE)
def test_what_stands_around_a_block_stays(before: str, inside: str, after: str) -> None:
    plain = [text.replace("<", "") for text in (before, inside, after)]
    text = f"{plain[0]}<system-reminder>{plain[1]}</system-reminder>{plain[2]}"
    assert strip_injected(text) == (plain[0] + plain[2], 1)


@given(
    st.lists(st.sampled_from(["<reminder>", "</reminder>", "<env_info>", "</env_info>", "x"]), max_size=30)
)
def test_nothing_is_added_and_the_order_stays(pieces: list[str]) -> None:
    text = "".join(pieces)
    kept, blocks = strip_injected(text)
    rest = iter(text)
    assert all(character in rest for character in kept)
    assert (kept == text) == (blocks == 0)


@pytest.mark.parametrize(
    "text",
    [
        "<system-reminder>" * MANY + "</",
        "<system-reminder " * MANY + "</",
        "<system-reminder" + " a" * MANY + "</",
        "<reminder></reminder>" * MANY,
        "<reminder>" * MANY + "</reminder>" * MANY,
        "</" * MANY + "<reminder>",
    ],
    ids=["unclosed", "unfinished tags", "long attributes", "closed", "nested", "only closings"],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    kept, blocks = strip_injected(text)  # minutes, were it quadratic
    assert len(kept) <= len(text)
    assert blocks <= MANY


IN_MANY_CASES = """
from classifier.injected import strip_injected
name = "local-command-contents"
def spelt(number):
    return "".join(c.upper() if number >> place & 1 else c for place, c in enumerate(name))
text = "".join(f"<{spelt(number)}>" for number in range(200_000)) + "</"
assert strip_injected(text) == (text, 0)
"""


def test_openings_in_ever_new_capitals_take_linear_time_too() -> None:
    subprocess.run([sys.executable, "-c", IN_MANY_CASES], check=True, timeout=15)  # noqa: S603
