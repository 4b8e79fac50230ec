from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.sessions.session_id import identify, is_anonymous


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


SYSTEM = {"role": "system", "content": "You help."}
HI = [SYSTEM, user("hi")]
TALK = [*HI, assistant("Hello!"), user("Prove it."), assistant("So be it."), user("yes, do it")]
FIRST, SECOND, THIRD = TALK[:2], TALK[:4], TALK


def test_a_conversation_is_followed_from_turn_to_turn() -> None:
    first, second, third = map(identify, (FIRST, SECOND, THIRD))
    assert first.previous is None
    assert (second.previous, third.previous) == (first.place, second.place)
    assert (first.answered, second.answered, third.answered) == (0, 2, 4)


def test_its_name_stays_once_there_is_an_answer_and_the_second_request_knows_the_provisional_one() -> None:
    first, second, third = map(identify, (FIRST, SECOND, THIRD))
    assert second.name == third.name != first.name
    assert second.known_as == (second.name, first.name)
    assert (first.known_as, third.known_as) == ((), (third.name,))


def test_two_people_who_begin_alike_part_with_the_first_answer() -> None:
    other = identify([*HI, assistant("Good day!"), user("Prove it.")])
    assert other.name != identify(SECOND).name


def test_even_with_the_same_first_answer_nobody_gets_what_is_remembered_of_another() -> None:
    other = [*HI, assistant("Hello!"), user("Tell me a joke."), assistant("Knock, knock."), user("and?")]
    assert identify(other).name == identify(THIRD).name
    assert identify(other).previous != identify(THIRD).previous == identify(SECOND).place


def test_a_user_is_mixed_in_but_is_no_conversation() -> None:
    ada, ada_again, bob = (identify(HI, user=name) for name in ("ada", "ada", "bob"))
    assert ada == ada_again
    assert ada.name != bob.name != identify(HI).name
    assert identify([SYSTEM, user("other")], user="ada").name != ada.name


@pytest.mark.parametrize(
    ("name", "anonymous"),
    [
        (identify(HI).name, True),
        (identify(THIRD).name, True),
        (identify(HI, user="ada").name, False),
        (identify(HI, given="mine").name, False),
    ],
    ids=["first request", "later", "of a user", "named"],
)
def test_names_told_from_the_words_alone_are_known_by_their_look(name: str, anonymous: bool) -> None:
    assert is_anonymous(name) is anonymous


def test_no_name_tells_what_was_said_or_who() -> None:
    name = identify([user("secret")], user="ada@example.com", scope="key").name
    assert name.startswith("u-")
    assert len(name) == 26
    assert set(name[2:]) <= set("0123456789abcdef")


@pytest.mark.parametrize("given_name", [None, "my-conversation"], ids=["unnamed", "named"])
def test_two_keys_never_meet(given_name: str | None) -> None:
    own, other = (identify(SECOND, scope=scope, given=given_name) for scope in ("key 1", "key 2"))
    first = identify(FIRST, scope="key 1", given=given_name)
    assert own.previous == first.place
    assert other.previous != first.place


def test_a_caller_s_name_holds_whatever_was_said() -> None:
    one, two = identify(FIRST, given="a"), identify([user("something else")], given="a")
    assert (one.name, one.place, one.previous) == ("a", two.place, two.place)
    assert identify(FIRST, given="b").place != one.place


def test_a_caller_s_name_cannot_be_a_place_of_an_unnamed_conversation() -> None:
    assert identify(FIRST, given=identify(FIRST).name).place != identify(FIRST).place


def test_tool_calls_and_their_results_continue_the_conversation() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    result = {"role": "tool", "content": "42", "tool_call_id": "1"}
    asked, resulted = identify(FIRST), identify([*FIRST, call, result])
    again = identify([*FIRST, call, result, call, result])
    assert (resulted.previous, again.previous) == (asked.place, resulted.place)


def test_injected_reminders_that_come_and_go_do_not_part_a_conversation() -> None:
    asked = identify([user("<system-reminder>be kind</system-reminder>Prove it.")])
    later = identify([user("Prove it."), assistant("Yes."), user("go on")])
    assert later.previous == asked.place


def test_answers_may_be_the_sdk_s_own_objects() -> None:
    message = SimpleNamespace(role="assistant", content="Hello!")
    assert identify([*HI, message, user("Prove it.")]) == identify(SECOND)


def test_contents_in_parts_are_read() -> None:
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url"}]
    assert identify([user(parts)]).place == identify([user("hi")]).place


def test_long_histories_take_bounded_time_and_keep_their_place() -> None:
    long = [*HI, *[assistant("Hello!"), user("x" * 100_000)] * 5_000]
    assert identify([*long, assistant("a"), user("b")]).previous == identify(long).place


MESSAGES = st.lists(
    st.builds(
        lambda role, text: {"role": role, "content": text},
        st.sampled_from(["system", "user", "assistant", "tool"]),
        st.text(st.characters(), max_size=20),
    ),
    min_size=1,
    max_size=8,
)


@given(MESSAGES.filter(lambda messages: messages[-1]["role"] != "assistant"), st.text(min_size=1))
def test_any_next_request_finds_the_one_before(messages: list[Any], answer: str) -> None:
    continued = [*messages, assistant(answer), user("and?")]
    assert identify(continued).previous == identify(messages).place
