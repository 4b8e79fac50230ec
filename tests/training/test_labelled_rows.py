import math
from pathlib import Path

import pytest

from training.errors import Place, RowError
from training.labelled_rows import LabelledRow, labelled_row
from training.table_files import RawRow

ASK = {"role": "user", "content": "hi"}
SURROGATE = "\ud800"


def row(**cells: object) -> LabelledRow:
    return labelled_row(RawRow(Place(Path("a.jsonl"), 3, 4), cells))


def test_a_row_with_everything() -> None:
    made = row(prompt=" Hi!", tier="premium", weight=0.5, source="s1", language="en", domain="daily", id="x")
    assert (made.prompt, made.text, made.tier, made.weight) == (" Hi!", "hi!", 2, 0.5)
    assert (made.source, made.language, made.domain, made.id) == ("s1", "en", "daily", "x")
    assert made.characters == 4


def test_a_row_with_the_least() -> None:
    made = row(prompt="Hi", tier="cheap")
    assert (made.tier, made.weight, made.source, made.language, made.domain) == (0, 1.0, "", "", "")
    assert made.id == "a.jsonl:3"


@pytest.mark.parametrize("missing", [None, ""])
def test_an_empty_cell_is_an_absent_one(missing: object) -> None:
    made = row(prompt="Hi", messages=missing, tier="cheap", weight=missing, source=missing, id=missing)
    assert (made.prompt, made.weight, made.source, made.id) == ("Hi", 1.0, "", "a.jsonl:3")


@pytest.mark.parametrize(("name", "tier"), [("cheap", 0), (" balanced ", 1), ("premium\n", 2)])
def test_tiers_are_trimmed(name: str, tier: int) -> None:
    assert row(prompt="Hi", tier=name).tier == tier


@pytest.mark.parametrize(
    ("tier", "complaint"),
    [
        pytest.param("cheep", "unknown tier 'cheep'; write cheap, balanced or premium", id="misspelt"),
        pytest.param("Cheap", "unknown tier 'Cheap'; .* in small letters", id="capital"),
        pytest.param(2, "unknown tier 2;", id="number"),
        pytest.param(True, "unknown tier True;", id="true"),
        pytest.param(["cheap"], r"unknown tier \['cheap'\];", id="list"),
        pytest.param(None, "no tier; write cheap, balanced or premium", id="none"),
        pytest.param("", "no tier;", id="empty"),
        pytest.param("x" * 500, r"unknown tier 'x{55} \.\.\.;", id="endless"),
        pytest.param(SURROGATE, r"unknown tier '\\ud800';", id="lone surrogate"),
    ],
)
def test_an_unknown_tier_is_refused(tier: object, complaint: str) -> None:
    with pytest.raises(RowError, match=rf"^a\.jsonl: row 3 \(line 4\), column 'tier': {complaint}"):
        row(prompt="Hi", tier=tier)


@pytest.mark.parametrize(
    ("prompt", "complaint"),
    [
        pytest.param("", "empty; give the prompt's text", id="empty"),
        pytest.param(None, "empty; give the prompt's text", id="none"),
        pytest.param(" \n\t", "only white space; give the prompt's text", id="white space"),
        pytest.param(123, "123 is a number; a prompt is text", id="number"),
        pytest.param(True, "True is true or false; a prompt is text", id="true"),
        pytest.param(["hi"], r"\['hi'\] is a list; a prompt is text", id="list"),
        pytest.param({"a": 1}, "{'a': 1} is an object; a prompt is text", id="object"),
        pytest.param(b"hi", "b'hi' is a bytes; a prompt is text", id="bytes"),
        pytest.param(
            f"ab{SURROGATE}", r"a lone surrogate \(U\+D800\) near character 3 is half", id="lone surrogate"
        ),
        pytest.param(
            "<system-reminder>x</system-reminder>", "nobody asks anything in it", id="nothing human"
        ),
    ],
)
def test_a_prompt_that_is_none_is_refused(prompt: object, complaint: str) -> None:
    with pytest.raises(RowError, match=rf"column 'prompt': {complaint}"):
        row(prompt=prompt, tier="cheap")


def test_a_row_without_either_column_is_refused() -> None:
    with pytest.raises(RowError, match="column 'prompt': empty"):
        row(tier="cheap")


def test_a_row_with_both_columns_is_refused() -> None:
    with pytest.raises(
        RowError, match="column 'messages': both 'prompt' and 'messages' are filled; keep one"
    ):
        row(prompt="Hi", messages=[ASK], tier="cheap")


def test_messages_become_a_conversation() -> None:
    answer = {"role": "assistant", "content": "hello"}
    made = row(messages=[ASK, answer, {"role": "user", "content": "Why?"}], tier="cheap")
    assert made.prompt == [ASK, answer, {"role": "user", "content": "Why?"}]
    assert made.text == "user: hi\nassistant: hello\nuser: why?"
    assert made.characters == 6


def test_messages_may_be_json_text() -> None:
    assert row(messages='[{"role": "user", "content": "hi"}]', tier="cheap").prompt == [ASK]


def test_fields_that_parquet_fills_in_are_dropped() -> None:
    parts = [{"type": "text", "text": "hi", "image_url": None}]
    made = row(messages=[{"role": "user", "content": parts, "tool_calls": None}], tier="cheap")
    assert made.prompt == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


def test_a_picture_alone_is_a_question() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}
    assert row(messages=[{"role": "user", "content": [picture]}], tier="cheap").characters == 0


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        pytest.param("[{", "broken JSON: Expecting .*; give a list of OpenAI messages", id="broken JSON"),
        pytest.param("hi", "broken JSON: Expecting value", id="plain text"),
        pytest.param('{"role": "user"}', r"{'role': 'user'} is no list of messages; give", id="one object"),
        pytest.param(["hi"], r"\['hi'\] is no list of messages", id="list of text"),
        pytest.param(7, "7 is no list of messages", id="number"),
        pytest.param([], "messages is empty", id="empty list"),
        pytest.param([ASK, {"content": "hi"}], "message 2: role is None, but must be one of", id="no role"),
        pytest.param([{"role": "human", "content": "hi"}], "message 1: role is 'human'", id="another role"),
        pytest.param([{"role": "user", "content": 7}], "message 1: content is int", id="number as content"),
        pytest.param([{"role": "user", "content": " "}], "nobody asks anything in it", id="nothing said"),
        pytest.param([ASK | {"content": SURROGATE}], r"a lone surrogate \(U\+D800\)", id="lone surrogate"),
    ],
)
def test_malformed_messages_are_refused(messages: object, complaint: str) -> None:
    with pytest.raises(RowError, match=rf"column 'messages': {complaint}"):
        row(messages=messages, tier="cheap")


@pytest.mark.parametrize(
    ("given", "weight"), [(2, 2.0), (0.2, 0.2), ("0.5", 0.5), (" 3 ", 3.0), (1e-9, 1e-9)]
)
def test_weights_are_numbers_above_0(given: object, weight: float) -> None:
    assert row(prompt="Hi", tier="cheap", weight=given).weight == weight


@pytest.mark.parametrize(
    "weight",
    [
        pytest.param(0, id="zero"),
        pytest.param(-1, id="negative"),
        pytest.param("-0.5", id="negative text"),
        pytest.param(math.nan, id="not a number"),
        pytest.param("nan", id="not a number as text"),
        pytest.param(math.inf, id="infinite"),
        pytest.param("1e400", id="too large text"),
        pytest.param(10**400, id="too large"),
        pytest.param("much", id="word"),
        pytest.param(True, id="true"),
        pytest.param([1], id="list"),
    ],
)
def test_other_weights_are_refused(weight: object) -> None:
    with pytest.raises(RowError, match=r"column 'weight': .* is no weight; give a number above 0"):
        row(prompt="Hi", tier="cheap", weight=weight)


def test_a_number_may_name_a_source() -> None:
    assert row(prompt="Hi", tier="cheap", source=7, id=12).source == "7"


@pytest.mark.parametrize("column", ["source", "language", "domain", "id"])
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param(True, "True is true or false; give text, or leave it out", id="true"),
        pytest.param(["en"], r"\['en'\] is a list; give text", id="list"),
        pytest.param(math.nan, "nan is a number; give text", id="not a number"),
        pytest.param(f"e{SURROGATE}", r"a lone surrogate \(U\+D800\) near character 2", id="lone surrogate"),
    ],
)
def test_other_columns_are_text(column: str, value: object, complaint: str) -> None:
    with pytest.raises(RowError, match=f"column '{column}': {complaint}"):
        row(prompt="Hi", tier="cheap", **{column: value})
