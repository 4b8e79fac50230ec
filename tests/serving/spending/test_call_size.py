import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.spending.call_size import call_size, prompt_characters, size_of

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("prompt", "characters"),
    [
        ("Why?", 4),
        ("", 0),
        ([], 0),
        ([{"role": "system", "content": "be kind"}, {"role": "user", "content": "Why?"}], 11),
        ([{"role": "user", "content": [{"type": "text", "text": "Why?"}, PICTURE, "odd"]}], 4),
        ([{"role": "assistant", "content": None}, "odd", {"role": "user", "content": [{"text": 5}]}], 0),
    ],
    ids=["text", "nothing", "no messages", "messages", "parts", "what is no text"],
)
def test_the_texts_of_a_prompt_are_counted(prompt: str | list[object], characters: int) -> None:
    assert prompt_characters(prompt) == characters


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_longer_prompt_never_makes_a_smaller_call(one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert 0 < call_size(short) <= call_size(long)


def test_a_prompt_is_as_long_as_its_only_message() -> None:
    assert size_of("Why? " * 99) == size_of([{"role": "user", "content": "Why? " * 99}])
