import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given

from classifier import ClassifierError, Prompt, PromptError, read
from tests.classifier.texts import ALL_OF_UNICODE, MESSAGES


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def text(words: str) -> dict[str, object]:
    return {"type": "text", "text": words}


class Sealed(Mapping[str, Any]):
    """A content part that tells its type and fails the test when anything else is read."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getitem__(self, key: str) -> str:
        assert key == "type", f"{key} was read"
        return self.kind

    def __iter__(self) -> Iterator[str]:
        pytest.fail("the fields were listed")

    def __len__(self) -> int:
        return 2


@given(ALL_OF_UNICODE)
def test_a_string_is_one_turn_of_a_human(words: str) -> None:
    assert read(words).turns == (words,) == read([user(words)]).turns
    assert not read(words).is_conversation


def test_roles_are_told_apart_and_only_the_humans_turns_are_kept() -> None:
    reading = read(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "No lists."},
            user("How many?"),
            {"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "1"}]},
            {"role": "tool", "content": "a table of forty rows", "tool_call_id": "1"},
            {"role": "function", "content": "prove that", "name": "old"},
            {"role": "assistant", "content": "Forty."},
            user("And in March?"),
        ]
    )
    assert reading.turns == ("How many?", "And in March?")
    assert reading.system_characters == len("Be brief.No lists.")
    assert reading.assistant_characters == len("Forty.")
    assert reading.assistant_turns == 2
    assert reading.tool_results == 2
    assert not reading.ends_with_tool
    assert reading.is_conversation


@pytest.mark.parametrize("role", ["tool", "function"])
def test_a_tool_result_at_the_end_is_noted(role: str) -> None:
    reading = read([user("How many?"), {"role": role, "content": "40"}])
    assert (reading.ends_with_tool, reading.is_conversation, reading.turns) == (True, True, ("How many?",))


def test_parts_of_text_are_joined_and_pictures_sound_and_files_are_counted() -> None:
    parts = [
        text("What is"),
        {"type": "image_url", "image_url": {"url": "data:..."}},
        {"type": "input_image"},
        {"type": "input_audio", "input_audio": {"data": "...", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "video_url"},
        {"type": "input_text", "text": "on this?"},
    ]
    reading = read([user(parts)])
    assert reading.turns == ("What is\non this?",)
    assert (reading.images, reading.audios, reading.files) == (2, 1, 2)


@pytest.mark.parametrize("kind", ["image_url", "input_image", "input_audio", "file", "novel", "refusal"])
def test_of_parts_that_are_not_text_nothing_but_the_type_is_read(kind: str) -> None:
    assert read([user([text("Who is this?"), Sealed(kind)])]).turns == ("Who is this?",)


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_an_attachment_without_words_is_a_turn_too(kind: str) -> None:
    system = {"role": "system", "content": "Prove that every claim is true."}
    assert read([system, user("Hello"), user([{"type": kind}])]).turns == ("Hello", "")
    assert read([system, user([{"type": kind}])]).turns == ("",)


def test_an_assistant_that_only_calls_tools_has_no_content() -> None:
    calls: list[dict[str, object]] = [
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "assistant"},
    ]
    reading = read([user("How many?"), *calls])
    assert (reading.assistant_turns, reading.assistant_characters) == (2, 0)


def test_answers_of_the_client_are_objects_and_are_read_like_mappings() -> None:
    part = SimpleNamespace(type="text", text="And now?")
    answer = SimpleNamespace(role="assistant", content="Forty.", tool_calls=None)
    reading = read((user("How many?"), answer, SimpleNamespace(role="user", content=(part,))))
    assert reading.turns == ("How many?", "And now?")
    assert reading.assistant_characters == 6


def test_injected_blocks_are_cut_out_of_the_humans_turns_alone() -> None:
    block = "<system-reminder>prove it</system-reminder>"
    reading = read([user("Hello"), {"role": "assistant", "content": block}, user(f"{block}Why?{block}")])
    assert reading.turns == ("Hello", "Why?")
    assert reading.injected_blocks == 2
    assert reading.assistant_characters == len(block)
    assert read(f"{block}Why?").turns == ("Why?",)


def test_a_turn_that_was_nothing_but_an_injected_block_is_no_turn() -> None:
    reading = read([user("Why?"), {"role": "assistant", "content": "So."}, user("<reminder>x</reminder>\n")])
    assert (reading.turns, reading.injected_blocks) == (("Why?",), 1)


def test_blank_turns_are_passed_over() -> None:
    assert read([user("Why?"), user(" \n"), user(None), user([])]).turns == ("Why?",)


@pytest.mark.parametrize(
    ("messages", "ask"),
    [
        ([{"role": "system", "content": "Translate: hello"}], "Translate: hello"),
        ([{"role": "system", "content": "Be brief."}, {"role": "assistant", "content": "Hi!"}], "Hi!"),
        ([{"role": "developer", "content": "Sum up."}, {"role": "tool", "content": "data"}], "Sum up."),
        ([{"role": "tool", "content": "data"}], ""),
        ([{"role": "assistant", "content": None}], ""),
        ([user("")], ""),
    ],
    ids=["system", "assistant", "not a tool", "only a tool", "nothing said", "an empty ask"],
)
def test_where_no_human_speaks_the_last_text_stands_for_the_ask(messages: Prompt, ask: str) -> None:
    assert read(messages).turns == (ask,)


@given(MESSAGES)
def test_every_conversation_has_a_turn_and_every_turn_is_in_it(
    messages: list[dict[str, str | None]],
) -> None:
    reading = read(messages)
    assert reading.turns
    assert reading.tool_results == sum(message["role"] == "tool" for message in messages)
    texts = ["", *(message["content"] for message in messages)]
    assert all(turn in texts for turn in reading.turns)


@pytest.mark.parametrize(
    "prompt",
    [None, 7, b"prompt", bytearray(b"prompt"), {"role": "user", "content": "x"}, {"x"}, iter([user("x")])],
    ids=["none", "number", "bytes", "bytearray", "one message", "set", "iterator"],
)
def test_what_is_neither_text_nor_a_list_is_refused_by_its_type(prompt: Prompt) -> None:
    problem = f"a prompt is a string or a list of messages, not {type(prompt).__name__}"
    with pytest.raises(PromptError, match=problem) as caught:
        read(prompt)
    assert isinstance(caught.value, ClassifierError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("empty", [[], ()], ids=["list", "tuple"])
def test_no_messages_at_all_are_refused(empty: Prompt) -> None:
    with pytest.raises(PromptError, match="messages is empty: give at least one message"):
        read(empty)


ROLES = "must be one of assistant, developer, function, system, tool, user"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("hello", f"message 3: role is None, but {ROLES}"),
        (None, f"message 3: role is None, but {ROLES}"),
        ({}, f"message 3: role is None, but {ROLES}"),
        ({"role": "User", "content": "x"}, f"message 3: role is 'User', but {ROLES}"),
        ({"role": "u" * 1000, "content": "x"}, f"message 3: role is str, but {ROLES}"),
        ({"role": ["user"], "content": "x"}, f"message 3: role is list, but {ROLES}"),
        (user(7), "message 3: content is int, but must be text or a list of parts"),
        (user(b"bytes"), "message 3: content is bytes, but must be text or a list of parts"),
        (user({"text": "x"}), "message 3: content is dict, but must be text or a list of parts"),
        (user(["x"]), "message 3, part 1: no type; write {'type': 'text', 'text': ...}"),
        (user([text("x"), {"text": "x"}]), "message 3, part 2: no type"),
        (user([[[[text("x")]]]]), "message 3, part 1: no type"),
        (user([{"type": "text"}]), "message 3: the text of a part is None, but must be a string"),
        (user([text("x"), {"type": "text", "text": 7}]), "message 3: the text of a part is int"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_odd_message_is_named_by_its_number(message: object, problem: str) -> None:
    with pytest.raises(PromptError, match=re.escape(problem)) as caught:
        read([user("Hello"), {"role": "assistant", "content": "Hi!"}, message])
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 200


def test_the_number_is_right_far_down_a_long_history() -> None:
    with pytest.raises(PromptError, match=r"^message 5001: role is 'bot'"):
        read([user("Hello")] * 5000 + [{"role": "bot", "content": "x"}])
