import pytest
from hypothesis import given

from tests.training.routed import laws, noisy_rows, routed_rows
from training.costs import CostModel
from training.labelled import LabelledData
from training.metrics import accuracy
from training.routed_rows import RoutedRows
from training.slices import length_name, slice_labels, slice_table, slice_tables

COSTS = CostModel()


@laws
@given(routed_rows())
def test_slices_share_out_the_rows_and_average_to_the_whole(rows: RoutedRows) -> None:
    labels = [str(tier) for tier in rows.chosen]
    parts = slice_table("domain", rows, labels, COSTS).slices
    assert sum(part.rows for part in parts) == len(rows)
    assert sum(part.share for part in parts) == pytest.approx(1)
    whole = accuracy(rows.most_probable, rows.needed, rows.weights)
    assert sum(part.share * part.accuracy.value for part in parts) == pytest.approx(whole)
    assert all(part.accuracy.low <= part.accuracy.value + 1e-9 for part in parts)
    assert all(part.accuracy.high >= part.accuracy.value - 1e-9 for part in parts)


def test_a_slice_of_one_right_row_is_not_certain() -> None:
    rows = RoutedRows.of([(1.0, 0, 0)], [0], [0])
    (part,) = slice_table("domain", rows, ["law"], COSTS).slices
    assert part.accuracy.value == 1
    assert part.accuracy.low == pytest.approx(0.207, abs=0.001)


def test_lengths_come_in_rising_order_and_others_by_weight() -> None:
    rows = noisy_rows(6)
    lengths = [length_name(characters) for characters in (5000, 50, 700, 50, 50, 200)]
    (by_length,) = slice_tables(rows, {"length": lengths}, COSTS)
    names = [part.name for part in by_length.slices]
    assert names == ["under 100 characters", "100 to 499", "500 to 1,999", "2,000 and more"]
    (by_domain,) = slice_tables(rows, {"domain": ["a", "b", "b", "b", "b", "a"]}, COSTS)
    assert [part.name for part in by_domain.slices] == ["b", "a"]


def test_labels_come_from_the_columns_of_the_data(small_labelled: LabelledData) -> None:
    labels = slice_labels(small_labelled.frame)
    assert list(labels) == ["domain", "language", "length", "kind"]
    assert set(labels["kind"]) == {"single prompt", "conversation"}
    assert all(len(names) == len(small_labelled) for names in labels.values())


def test_a_row_without_a_domain_is_shown_as_such(small_labelled: LabelledData) -> None:
    frame = small_labelled.frame.assign(domain="")
    assert set(slice_labels(frame)["domain"]) == {"not given"}


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        (0, "under 100 characters"),
        (99, "under 100 characters"),
        (100, "100 to 499"),
        (2000, "2,000 and more"),
    ],
)
def test_a_length_belongs_to_one_bucket(characters: int, name: str) -> None:
    assert length_name(characters) == name
