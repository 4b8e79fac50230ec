import math
from dataclasses import replace

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import WriteRows
from training.errors import DataError
from training.labelled import LabelledData, read_labelled
from training.near_duplicates import NEAR, find_near_duplicates
from training.split import Split, all_but_test, split_data, split_name


@pytest.fixture(scope="module")
def split(labelled: LabelledData) -> Split:
    return split_data(labelled)


def places(data: LabelledData) -> dict[str, str]:
    """The part of each row, without regard to near-duplicates."""
    return {row: split_name(text) for row, text in zip(data.frame["id"], data.frame["text"], strict=True)}


def ids(data: LabelledData) -> set[str]:
    return set(data.frame["id"])


def test_every_row_is_in_exactly_one_part_or_left_out(labelled: LabelledData, split: Split) -> None:
    left_out = [near.id for near in split.near_duplicates]
    parts = [part.frame["id"].tolist() for part in (split.train, split.validation, split.test)]
    assert sorted(sum(parts, left_out)) == sorted(labelled.frame["id"])


def test_the_parts_have_their_shares(labelled: LabelledData) -> None:
    names = list(places(labelled).values())
    shares = {"train": 0.70, "validation": 0.15, "test": 0.15}
    for name, share in shares.items():
        deviation = math.sqrt(share * (1 - share) / len(names))
        assert names.count(name) / len(names) == pytest.approx(share, abs=3 * deviation)


def test_near_duplicates_are_named_with_what_they_resemble(labelled: LabelledData, split: Split) -> None:
    assert {near.id for near in split.near_duplicates}.isdisjoint(ids(split.train))
    tiers = dict(zip(labelled.frame["id"], labelled.frame["tier"], strict=True))
    held_out = {"validation": ids(split.validation), "test": ids(split.test)}
    for near in split.near_duplicates:
        assert near.of in held_out[near.of_split]
        assert (near.tier, near.of_tier) == (tiers[near.id], tiers[near.of])
        assert NEAR <= near.similarity <= 1


def test_the_near_duplicates_of_the_project_data_are_known(split: Split) -> None:
    assert {(near.id, near.of) for near in split.near_duplicates} == {
        ("a3-0220", "a3-0067"),
        ("b3-0062", "a3-0491"),
        ("b3-0137", "a3-0341"),
        ("b3-0376", "a3-0377"),
        ("d2-0116", "a1-0381"),
    }


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_order_moves_a_row(small_labelled: LabelledData, seed: int) -> None:
    frame = small_labelled.frame.sample(frac=1, random_state=seed, ignore_index=True)
    shuffled = split_data(LabelledData(frame))
    ordered = split_data(small_labelled)
    assert ids(shuffled.train) == ids(ordered.train)
    assert ids(shuffled.validation) == ids(ordered.validation)
    assert ids(shuffled.test) == ids(ordered.test)
    assert shuffled.test.digest == ordered.test.digest


@settings(max_examples=20)
@given(chosen=st.sets(st.integers(0, 300), min_size=1))
def test_added_rows_move_no_row(small_labelled: LabelledData, chosen: set[int]) -> None:
    everywhere = places(small_labelled)
    part = LabelledData(small_labelled.frame.iloc[sorted(chosen)].reset_index(drop=True))
    assert places(part).items() <= everywhere.items()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_has_a_part(text: str) -> None:
    assert split_name(text) in {"train", "validation", "test"}
    assert split_name(text) == split_name(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("hello", "train"), ("why?", "train"), ("a", "test"), ("f", "validation"), ("j", "validation")],
)
def test_rows_stay_where_they_are_from_version_to_version(text: str, name: str) -> None:
    assert split_name(text) == name


def test_a_prompt_that_nearly_repeats_a_held_out_one_is_not_trained_on(small_labelled: LabelledData) -> None:
    test = split_data(small_labelled).test.frame
    long = test[test["characters"] > 80]
    copies = long.assign(id="copy of " + long["id"], text=long["text"] + " thanks a lot")
    split = split_data(LabelledData(pandas.concat([small_labelled.frame, copies], ignore_index=True)))
    moved = {f"copy of {row}" for row in long["id"]} - ids(split.validation) - ids(split.test)
    assert len(moved) > 20
    assert moved == {near.id for near in split.near_duplicates}


def test_too_little_data_to_split_is_refused(write_jsonl: WriteRows) -> None:
    rows = [{"prompt": text, "tier": "cheap"} for text in ("hello", "why?")]
    data = read_labelled(write_jsonl(rows), rows_per_tier=0)
    with pytest.raises(
        DataError, match="too few rows to split: they fall into 2 train, 0 validation and 0 test"
    ):
        split_data(data)


def test_a_tier_that_is_not_trained_on_is_refused(small_labelled: LabelledData) -> None:
    frame = small_labelled.frame
    held_out = frame["text"].map(split_name) != "train"
    data = LabelledData(frame[(frame["tier"] != 2) | held_out].reset_index(drop=True))
    with pytest.raises(DataError, match=r"no row of 'premium' is left to train on \(\d+ train"):
        split_data(data)


def test_a_tier_of_one_template_is_refused_for_its_near_duplicates(write_jsonl: WriteRows) -> None:
    words = [f"{word}{n}" for word in ("sea", "moon", "leaf", "drum", "coin") for n in range(12)]
    rows = [{"prompt": f"{word * 7} of {word * 9}", "tier": "cheap"} for word in words]
    sums = [f"prove by induction that the sum holds for n = {n}" for n in range(40)]
    rows += [{"prompt": prompt, "tier": "premium"} for prompt in sums]
    data = read_labelled(write_jsonl(rows), rows_per_tier=0)
    with pytest.raises(DataError, match=r"no row of 'premium'.* \d+ near-duplicates of the others left out"):
        split_data(data)


def test_all_but_test_is_train_and_validation_and_no_row_of_the_test(split: Split) -> None:
    together = all_but_test(split)
    assert ids(together) <= ids(split.train) | ids(split.validation)
    assert ids(split.train) <= ids(together)
    assert ids(together).isdisjoint(ids(split.test))


def test_all_but_test_nearly_repeats_no_row_of_the_test(split: Split) -> None:
    together, test = all_but_test(split).frame["text"].tolist(), split.test.frame["text"].tolist()
    alike = [pair.similarity for pair in find_near_duplicates(together, test)]
    # Rarity is reckoned over the texts at hand, so a pair at the very threshold may cross it here.
    assert [similarity for similarity in alike if similarity > NEAR + 0.02] == []


def test_a_validation_row_that_nearly_repeats_a_test_row_is_not_fitted_on(split: Split) -> None:
    long = split.test.frame[split.test.frame["characters"] > 80].head(20)
    copies = LabelledData(long.assign(id="copy of " + long["id"], text=long["text"] + " thanks a lot"))
    seeded = replace(split, validation=split.validation.with_rows_of(copies))
    assert ids(copies).isdisjoint(ids(all_but_test(seeded)))
    assert len(all_but_test(seeded)) == len(all_but_test(split))
