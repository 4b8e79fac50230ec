import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import KeyMissingError, Keys
from serving.keys import Channel, Secret

KEY = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)


def test_the_standard_key_is_needed_and_the_pro_key_is_not() -> None:
    keys = Keys.from_environ({"GLOBAL_API_KEY": "ga_1"})
    assert (keys.standard.reveal(), keys.pro) == ("ga_1", None)
    with pytest.raises(KeyMissingError, match="GLOBAL_API_KEY is not set: put the key of your account"):
        Keys.from_environ({"GLOBAL_API_PRO_KEY": "ga_pro_1"})


@pytest.mark.parametrize("value", ["", "  ", "\n"], ids=["empty", "blanks", "newline"])
def test_an_empty_variable_is_not_set(value: str) -> None:
    with pytest.raises(KeyMissingError, match="is not set"):
        Keys.from_environ({"GLOBAL_API_KEY": value})


def test_white_space_around_a_key_is_an_accident_of_copying() -> None:
    assert Keys.from_environ({"GLOBAL_API_KEY": " ga_1\n"}).standard.reveal() == "ga_1"


@pytest.mark.parametrize("value", ["ga_1 ga_2", "ga_é", "ga_\x07"], ids=["space", "accent", "control"])
def test_what_no_header_can_carry_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(KeyMissingError, match="GLOBAL_API_PRO_KEY holds characters") as caught:
        Keys.from_environ({"GLOBAL_API_KEY": "ga_1", "GLOBAL_API_PRO_KEY": value})
    assert value not in str(caught.value)


@given(standard=KEY, pro=KEY)
def test_a_key_shows_in_no_text_that_is_made_of_it(standard: str, pro: str) -> None:
    keys = Keys(Secret(standard), Secret(pro))
    assert f"{keys!r} {keys} {keys.standard!r} {keys.pro}".count("***") == 6
    assert repr(keys) == "Keys(standard=Secret('***'), pro=Secret('***'))"


@given(key=KEY, before=st.text(max_size=20), after=st.text(max_size=20))
def test_masking_leaves_no_occurrence(key: str, before: str, after: str) -> None:
    masked = Keys(Secret(key)).mask(f"{before}{key}{after}")
    assert key not in masked.replace("***", " ")


@pytest.mark.parametrize(
    ("model", "channel"),
    [("Pro/a/b", Channel.PRO), ("a/Pro/b", Channel.STANDARD), ("Profound", Channel.STANDARD)],
    ids=["prefix", "inside", "a word"],
)
def test_the_name_of_a_model_tells_its_channel(model: str, channel: Channel) -> None:
    assert Channel.of(model) is channel
