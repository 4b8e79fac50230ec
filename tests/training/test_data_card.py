import json
import unicodedata

import pytest

from tests.training.conftest import DATA
from training.agreement import Votes, read_votes
from training.data_card import BEGIN, END, render_card_tables, with_tables
from training.errors import DataError
from training.labelled import LabelledData

CARD = DATA / "README.md"


@pytest.fixture(scope="module")
def card() -> str:
    return CARD.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def votes() -> list[Votes]:
    return read_votes(DATA)


def test_the_card_says_what_the_data_holds(card: str, labelled: LabelledData, votes: list[Votes]) -> None:
    assert with_tables(card, render_card_tables(labelled, votes)) == card


def test_the_figures_in_the_text_are_those_of_the_data(
    card: str, labelled: LabelledData, votes: list[Votes]
) -> None:
    frame = labelled.frame
    conversations = frame["is_conversation"].sum()
    thirds = sum(len(vote) == 3 for vote in votes)
    languages = frame["language"].value_counts()
    prose = " ".join(card.partition(BEGIN)[0].split())
    for claim in (
        f"{len(frame):,} requests to a language model",
        f"{len(frame) - conversations:,} single prompts and {conversations} conversations",
        f"one of {frame['domain'].nunique()} kinds of work",
        f"{thirds:,} rows got a second blind label",
        f"{len(languages) - 1} other languages share the rest",
        f"{(languages < 20).sum()} of them with fewer than 20 rows",
    ):
        assert claim in prose


def test_the_tier_is_the_majority_of_the_votes_or_the_author_s(
    labelled: LabelledData, votes: list[Votes]
) -> None:
    settled = [max(range(3), key=lambda tier: (vote.count(tier), tier == vote[0])) for vote in votes]
    files = [DATA / "conversations.jsonl", DATA / "prompts.jsonl"]
    ids = [json.loads(line)["id"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert labelled.frame["id"].tolist() == ids
    assert labelled.frame["tier"].tolist() == settled


def test_no_two_rows_have_the_same_id_or_text(labelled: LabelledData) -> None:
    assert labelled.frame["id"].is_unique
    assert labelled.frame["text"].is_unique


def test_no_row_holds_a_control_character(labelled: LabelledData) -> None:
    prompts = labelled.frame["prompt"]
    several = labelled.frame["is_conversation"]
    contents = [message["content"] for messages in prompts[several] for message in messages]
    kinds = {unicodedata.category(char) for char in set().union(*prompts[~several], *contents) - {"\n", "\t"}}
    assert kinds.isdisjoint({"Cc", "Cs", "Co", "Cn"})


def test_the_licence_is_named_with_its_address() -> None:
    notice = (DATA / "LICENSE").read_text(encoding="utf-8")
    assert "Creative Commons Attribution 4.0 International" in notice
    assert "https://creativecommons.org/licenses/by/4.0/" in notice


def test_the_folder_holds_nothing_else() -> None:
    assert {file.name for file in DATA.iterdir()} == {
        "prompts.jsonl",
        "conversations.jsonl",
        "README.md",
        "LICENSE",
        "cache",
    }
    assert {file.name for file in (DATA / "cache").iterdir()} == {"pairs.jsonl"}


def test_without_votes_nothing_is_said_of_agreement(small_labelled: LabelledData) -> None:
    tables = render_card_tables(small_labelled)
    assert "### Agreement" not in tables
    assert tables.startswith(f"{len(small_labelled)} rows; digest `{small_labelled.digest}`")


def test_every_table_counts_every_row(small_labelled: LabelledData) -> None:
    tables = render_card_tables(small_labelled)
    assert tables.count(f"\n| all | {len(small_labelled)} |") == 5


def test_what_is_not_given_is_called_so(small_labelled: LabelledData) -> None:
    bare = LabelledData(small_labelled.frame.assign(domain="", language="", source=""))
    tables = render_card_tables(bare)
    assert tables.count(f"\n| not given | {len(small_labelled)} |") == 3


def test_names_from_data_cannot_break_a_table(small_labelled: LabelledData) -> None:
    odd = LabelledData(small_labelled.frame.assign(domain="a|b\nc"))
    assert f"\n| a\\|b c | {len(small_labelled)} |" in render_card_tables(odd)


def test_only_the_text_between_the_markers_is_replaced() -> None:
    card = f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n"
    assert with_tables(card, "new") == f"before\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"


@pytest.mark.parametrize("card", ["", f"{BEGIN}", f"{END} {BEGIN}"], ids=["none", "no end", "wrong order"])
def test_a_card_without_markers_is_refused(card: str) -> None:
    with pytest.raises(DataError, match="the card has no place for its tables"):
        with_tables(card, "new")
