"""The tables of a data card: what labelled data holds, how it is split, how far its annotators agree."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy
import pandas

from training.agreement import Agreement, Votes, agreement_of
from training.errors import DataError
from training.labelled import LabelledData
from training.labelled_rows import TIER_NAMES
from training.split import Split, split_data

__all__ = ["render_card_tables", "with_tables"]

BEGIN: Final = "<!-- tables: begin -->"
END: Final = "<!-- tables: end -->"
_NOT_GIVEN: Final = "not given"
_RARE: Final = 20
_EDGES: Final = (0, 50, 100, 200, 500, 1000, 2000)

Cells = Sequence[str]


def render_card_tables(data: LabelledData, votes: Sequence[Votes] = ()) -> str:
    """Return the tables of a data card as Markdown; the same data gives the same text.

    Args:
        data: The labelled prompts.
        votes: What their annotators said (`agreement.read_votes`); without them nothing is said of agreement.

    Raises:
        DataError: There is too little data to split.
    """
    frame, split = data.frame, split_data(data)
    sections = {
        "Kinds": _tier_table("kind", frame["tier"], _kinds(frame)),
        "Agreement": _agreement(agreement_of(votes)) if votes else "",
        "Split": _parts(split),
        "Near-duplicates left out of training": _near_duplicates(split),
        "Domains": _tier_table("domain", frame["tier"], frame["domain"]),
        "Languages": _languages(frame),
        "Lengths": _lengths(frame),
        "Sources": _tier_table("source", frame["tier"], frame["source"]),
    }
    head = f"{len(data):,} rows; digest `{data.digest}`"
    return "\n\n".join([head, *(f"### {title}\n\n{text}" for title, text in sections.items() if text)])


def with_tables(card: str, tables: str) -> str:
    """Return a card with what stands between its two markers replaced by `tables`.

    Raises:
        DataError: The card has no such markers.
    """
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise DataError(f"the card has no place for its tables; give it the lines {BEGIN} and {END}")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


# --- what the rows are


def _kinds(frame: pandas.DataFrame) -> pandas.Series:
    return frame["is_conversation"].map({False: "single prompt", True: "conversation"})


def _parts(split: Split) -> str:
    parts = {name: getattr(split, name).frame["tier"].tolist() for name in ("train", "validation", "test")}
    parts["left out of training"] = [near.tier for near in split.near_duplicates]
    tiers = pandas.Series([tier for part in parts.values() for tier in part])
    names = pandas.Series([name for name, part in parts.items() for _ in part])
    return _tier_table("part", tiers, names, list(parts))


def _languages(frame: pandas.DataFrame) -> str:
    """Return the table of languages, the rare ones in one last row."""
    names = frame["language"].replace("", _NOT_GIVEN)
    counts = names.value_counts()
    rare = sorted(str(name) for name, count in counts.items() if count < _RARE and name != _NOT_GIVEN)
    together = f"{len(rare)} others ({' '.join(rare)})"
    common = [str(name) for name in counts.index if name not in rare]
    return _tier_table(
        "language", frame["tier"], names.where(~names.isin(rare), together), [*common, together]
    )


def _tier_table(
    title: str, tiers: pandas.Series, groups: pandas.Series, order: list[str] | None = None
) -> str:
    """Return how many rows of each tier every group has, in the given order or the largest group first."""
    named = groups.replace("", _NOT_GIVEN)
    counts = pandas.crosstab(named, tiers)
    wanted = order or sorted(counts.index, key=lambda name: (-counts.loc[name].sum(), name))
    table = counts.reindex(index=wanted, columns=range(len(TIER_NAMES)), fill_value=0).to_numpy()
    rows = [[name, *_tier_cells(row)] for name, row in zip(wanted, table, strict=True) if row.sum()]
    return _table([title, "rows", *TIER_NAMES], [*rows, ["all", *_tier_cells(table.sum(axis=0))]])


def _tier_cells(counts: Iterable[int]) -> list[str]:
    by_tier = [int(count) for count in counts]
    return [f"{sum(by_tier):,}", *(_counted(count, sum(by_tier)) for count in by_tier)]


def _lengths(frame: pandas.DataFrame) -> str:
    names = [f"{low:,} to {high - 1:,}" for low, high in pairwise(_EDGES)]
    names.append(f"{_EDGES[-1]:,} and more")
    place = numpy.searchsorted(_EDGES, frame["characters"], side="right") - 1
    rows = [
        [name, *_tier_cells(numpy.bincount(frame["tier"][place == index], minlength=len(TIER_NAMES)))]
        for index, name in enumerate(names)
    ]
    medians = frame.groupby("tier")["characters"].median()
    median = [
        "median",
        f"{frame['characters'].median():,.0f}",
        *(f"{medians[tier]:,.0f}" for tier in medians.index),
    ]
    return _table(["characters of the human's turns", "rows", *TIER_NAMES], [*rows, median])


def _near_duplicates(split: Split) -> str:
    rows = [
        [
            near.id,
            TIER_NAMES[near.tier],
            near.of,
            TIER_NAMES[near.of_tier],
            near.of_split,
            f"{near.similarity:.2f}",
        ]
        for near in split.near_duplicates
    ]
    return (
        _table(["row", "its tier", "resembles", "its tier", "of the part", "similarity"], rows)
        if rows
        else ""
    )


# --- how the annotators agree


def _agreement(found: Agreement) -> str:
    settled = found.third_votes - found.third_votes_on_agreed
    figures = [
        ["rows with an author's tier and a blind label", f"{found.rows:,}"],
        ["both the same", _counted(found.agreed, found.rows)],
        ["one cheap, the other premium", _counted(found.far, found.rows)],
        ["Cohen's kappa", f"{found.kappa:.3f}"],
        ["Cohen's kappa, quadratic weights", f"{found.quadratic_kappa:.3f}"],
        ["rows with a third vote", _counted(found.third_votes, found.rows)],
        ["... where the first two differed", f"{settled:,} of {found.rows - found.agreed:,}"],
        [
            "... where the first two agreed and the third with them",
            f"{found.confirmed:,} of {found.third_votes_on_agreed:,}",
        ],
        ["author overruled by two blind labels", _counted(found.overruled, found.rows)],
    ]
    rows = [
        [f"{TIER_NAMES[tier]}", f"{sum(counts):,}", *(_counted(count, sum(counts)) for count in counts)]
        for tier, counts in enumerate(found.table)
    ]
    head = ["author's tier, down; first blind label, across", "rows", *TIER_NAMES]
    return f"{_table(['figure', 'value'], figures)}\n\n{_table(head, rows)}"


# --- Markdown


def _counted(count: int, of: int) -> str:
    return f"{count:,} ({100 * count / of:.1f} %)" if of else "0"


def _table(head: Cells, rows: Iterable[Cells]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (head, rule, *rows))


def _cell(text: str) -> str:
    """Return text from data on one line, its bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")
