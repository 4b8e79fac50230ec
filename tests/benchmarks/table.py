"""Lay rows out as a table of 110 columns."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap

from tests.benchmarks.row import Goal, Of, Row, Sense

__all__ = ["WIDTH", "number", "table", "verdict"]

WIDTH = 110
_HEADINGS = ("what", "tierwise", "peer", "ratio", "to reach", "")
_WIDTHS = (36, 20, 22, 12, 10, 4)
_GAP = " "


def table(title: str, rows: Iterable[Row]) -> str:
    """Return the rows under a title, each cell wrapped within its column, notes below their row."""
    rule = "-" * WIDTH
    parts = [title, rule, _lines(_HEADINGS), rule, *map(_row, rows), rule]
    return "\n".join(parts)


def verdict(rows: Iterable[Row]) -> str:
    """Return one line that counts the numbers reached, and names those missed or not measured."""
    judged = [row for row in rows if row.goal is not None]
    lines = [f"{sum(row.met is True for row in judged)} of {len(judged)} numbers reached."]
    for title, state in (("Missed", False), ("Not measured", None)):
        names = [row.what for row in judged if row.met is state]
        lines += wrap(f"{title}: {'; '.join(names)}.", WIDTH) if names else []
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a figure with three significant digits or more, never in scientific form unless tiny.

    >>> number(0.78945), number(12.345), number(1234.5), number(0.0), number(3e-13)
    ('0.789', '12.3', '1234', '0', '3e-13')
    """
    if value == 0 or abs(value) < 1e-4:
        return f"{value:.0e}" if value else "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}"


def _row(row: Row) -> str:
    cells = (row.what, _figure(row), _peer(row), _ratio(row), _goal(row.goal), _met(row))
    note = [f"    {line}" for line in wrap(row.note, WIDTH - 4)]
    return "\n".join([_lines(cells), *note])


def _lines(cells: Sequence[str]) -> str:
    columns = [wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS, strict=True)]
    return "\n".join(
        _GAP.join(part.ljust(width) for part, width in zip(parts, _WIDTHS, strict=True)).rstrip()
        for parts in zip_longest(*columns, fillvalue="")
    )


def _figure(row: Row) -> str:
    if row.figure is None:
        return "not measured"
    interval = "" if row.interval is None else f" [{row.interval[0]:.3f}, {row.interval[1]:.3f}]"
    return f"{number(row.figure)} {row.unit}".strip() + interval


def _peer(row: Row) -> str:
    return (
        "" if row.peer is None else f"{number(row.peer.figure)} {row.unit} {row.peer.name}".replace("  ", " ")
    )


def _ratio(row: Row) -> str:
    if row.speed is None:
        return _difference(row)
    return f"{row.speed:.3g}x faster" if row.speed >= 1 else f"{1 / row.speed:.3g}x slower"


def _difference(row: Row) -> str:
    if row.figure is None or row.peer is None or row.unit:
        return ""
    return f"{row.figure - row.peer.figure:+.3f}"


def _goal(goal: Goal | None) -> str:
    if goal is None:
        return ""
    if goal.of is Of.SPEED:
        return f"{goal.bound:g}x faster" if goal.bound >= 1 else f"<= {1 / goal.bound:g}x slower"
    return f"{'>=' if goal.sense is Sense.AT_LEAST else '<='} {goal.bound:g}"


def _met(row: Row) -> str:
    if row.goal is None:
        return ""
    return {True: "met", False: "MISS", None: "?"}[row.met]
