"""Laying out tables and sentences for a terminal of 100 columns, whatever script the names are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["WIDTH", "aligned", "columns_of", "printable", "shortened", "wrapped"]

WIDTH = 100


def printable(text: str) -> str:
    """Return text from data on one line and without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else "�" for char in text)


def wrapped(text: str, indent: str = "") -> str:
    """Return words in lines of at most 100 columns."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else indent + word
        if columns_of(longer) > WIDTH and line:
            lines.append(line)
            longer = indent + word
        line = longer
    return "\n".join([*lines, line])


def columns_of(text: str) -> int:
    """Return how many terminal columns a text takes: two for wide characters, none for combining ones.

    >>> columns_of("日本"), columns_of("Köln")
    (4, 4)
    """
    shown = (char for char in text if not unicodedata.combining(char))
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)


def aligned(table: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Return rows of cells as lines: the first column to the left, the others to the right."""
    widths = [max(columns_of(row[place]) for row in table) for place in range(len(table[0]))]
    return "\n".join(indent + _line(row, widths) for row in table)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    pads = [" " * (width - columns_of(cell)) for cell, width in zip(row, widths, strict=True)]
    cells = [row[0] + pads[0], *(pad + cell for cell, pad in zip(row[1:], pads[1:], strict=True))]
    return "  ".join(cells).rstrip()


def shortened(text: str, width: int) -> str:
    """Return text from data, printable, in at most so many columns; an ellipsis ends what was cut."""
    clean = printable(text)
    if columns_of(clean) <= width:
        return clean
    while columns_of(clean) > width - 1:
        clean = clean[:-1]
    return clean + "…"
