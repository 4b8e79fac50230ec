"""Texts before they leave: what is masked, what is refused, what is never touched."""

import sys
from pathlib import Path
from typing import Any

import pytest

from serving.labelling.errors import RedactionError
from serving.labelling.redaction import (
    Redactor,
    command_redactor,
    mask_emails_and_numbers,
    named_redactor,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail a.b+c@mail.example.co.uk now", "mail [email] now"),
        ("card 4111 1111 1111 1111.", "card [number]."),
        ("call (030) 1234-5678", "call ([number]"),
        ("add 12345 and 678", "add 12345 and 678"),
        ("x @ y", "x @ y"),
        ("", ""),
    ],
    ids=["mail", "card", "phone", "short numbers", "no mail", "empty"],
)
def test_mails_and_long_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_emails_and_numbers(text) == masked


def test_a_long_text_is_masked_in_no_time() -> None:
    assert mask_emails_and_numbers("a" * 200_000) == "a" * 200_000


async def test_every_text_of_a_conversation_is_redacted_and_nothing_else() -> None:
    messages: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "secret"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "secret"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "secret"},
    ]
    redacted = await Redactor("x", lambda text: text.replace("secret", "***")).messages(messages)
    assert "secret" not in str(redacted)
    assert redacted[0] == {"role": "user", "content": [{"type": "text", "text": "***"}]}
    assert redacted[1]["tool_calls"][0]["id"] == redacted[2]["tool_call_id"] == "c1"
    assert "secret" in str(messages)


async def test_without_a_redactor_texts_go_as_they_are() -> None:
    assert await Redactor().texts(["a"]) == ["a"]


class TooBadError(BaseException):
    """Something that nobody expects a hook to raise."""


def _raises(error: BaseException) -> Any:
    def hook(_text: str) -> str:
        raise error

    return hook


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (_raises(ValueError("a\nb")), "ValueError: a b"),
        (_raises(StopIteration()), "StopIteration"),
        (_raises(TooBadError("odd")), "TooBadError: odd"),
        (_raises(SystemExit(3)), "SystemExit: 3"),
        (lambda _text: None, "returned NoneType instead of a text"),
        (lambda text: text.encode(), "returned bytes instead of a text"),
    ],
    ids=["exception", "StopIteration", "base exception", "exit", "None", "bytes"],
)
async def test_a_hook_that_fails_in_any_way_lets_nothing_out(hook: Any, told: str) -> None:
    with pytest.raises(RedactionError, match=f"the redactor failed: .*{told}"):
        await Redactor("x", hook).texts(["a text"])


async def test_a_lone_surrogate_from_a_hook_can_be_sent() -> None:
    assert await Redactor("x", lambda _text: "\ud800").texts(["a"]) == ["?"]


def test_a_function_is_found_by_its_name() -> None:
    assert named_redactor("html:escape")("<") == "&lt;"
    assert named_redactor("emails-and-numbers") is mask_emails_and_numbers


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mails", "must be emails-and-numbers, or module:function"),
        ("nowhere_at_all:f", "cannot be imported: No module named"),
        ("html:nothing", "cannot be imported: module 'html' has no attribute 'nothing'"),
        ("string:digits", "is no function"),
        (":f", "must be"),
    ],
    ids=["a word", "no module", "no attribute", "no function", "no module's name"],
)
def test_a_name_that_leads_nowhere_is_one_error(name: str, told: str) -> None:
    with pytest.raises(RedactionError, match=told):
        named_redactor(name)


def test_a_command_maps_its_input_to_its_output(tmp_path: Path) -> None:
    script = tmp_path / "mask.py"
    script.write_text("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().upper())")
    assert command_redactor(f"{sys.executable} {script}")("grüße").startswith("GR")


async def test_a_command_that_fails_lets_nothing_out(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text("import sys; sys.exit('no dictionary')")
    hook = command_redactor(f"{sys.executable} {script}")
    with pytest.raises(RedactionError, match="exit code 1: no dictionary"):
        await Redactor("x", hook).texts(["a"])


@pytest.mark.parametrize("command", ["", "no-such-program-at-all --x", "echo 'unclosed"])
def test_a_command_that_does_not_exist_is_one_error(command: str) -> None:
    with pytest.raises(RedactionError, match="--redact-command"):
        command_redactor(command)
