"""The lines of the routing table: a router, what it recovers of the gap, and the floor it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.routing_protocols import Recovered
from tests.benchmarks.routing_published import Published
from training.resampling import percentile_interval
from training.text_tables import aligned, wrapped

__all__ = ["Block", "Line", "block_text", "line_of", "published_line", "verdict_text"]

_HEADINGS = ("", "CPT(50 %)", "CPT(80 %)", "APGR", "", "floor", "")


@dataclass(frozen=True, slots=True)
class Line:
    """One router.

    Attributes:
        what: its name, and what it was trained on.
        found: what it recovers: on all prompts, or the mean over draws.
        interval: the middle 95 % of APGR: over bootstrap draws of the prompts, or over draws of labels.
        floor: the least APGR to reach; None where none was set.
    """

    what: str
    found: Recovered
    interval: tuple[float, float] | None = None
    floor: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the floor is reached; None without one."""
        return None if self.floor is None else self.found.apgr >= self.floor

    def as_dict(self) -> dict[str, Any]:
        """Return the line for JSON."""
        return {
            "what": self.what,
            "apgr": self.found.apgr,
            "cpt_50": self.found.cpt_50,
            "cpt_80": self.found.cpt_80,
            "interval": None if self.interval is None else list(self.interval),
            "floor": self.floor,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one benchmark.

    Attributes:
        title: what was routed, between which models.
        lines: the routers.
        note: how to read them, or why there are none.
    """

    title: str
    lines: tuple[Line, ...]
    note: str = ""


def line_of(what: str, draws: Sequence[Recovered], floor: float | None = None) -> Line:
    """Return the mean over draws of labels, and where the middle 95 % of single draws lie."""
    mean = Recovered(*(float(np.mean([getattr(draw, name) for draw in draws])) for name in _MEASURES))
    return Line(what, mean, percentile_interval(np.array([draw.apgr for draw in draws])), floor)


_MEASURES = ("apgr", "cpt_50", "cpt_80")


def published_line(router: Published) -> Line:
    """Return a router as its authors published it."""
    return Line(f"{router.router} (published)", Recovered(router.apgr, router.cpt_50, router.cpt_80))


def block_text(block: Block) -> str:
    """Return the block in at most 110 columns."""
    parts = [block.title]
    if block.lines:
        parts.append(aligned([_HEADINGS, *map(_cells, block.lines)]))
    return "\n".join([*parts, *([wrapped(block.note, "  ")] if block.note else [])])


def verdict_text(blocks: Sequence[Block]) -> str:
    """Return one line that counts the floors reached, and names those missed."""
    judged = [
        (f"{block.title.partition(':')[0]}, {line.what}", line.met)
        for block in blocks
        for line in block.lines
        if line.met is not None
    ]
    missed = [name for name, met in judged if not met]
    counted = f"{len(judged) - len(missed)} of {len(judged)} floors reached."
    return f"{counted} Missed: {'; '.join(missed)}." if missed else counted


def _cells(line: Line) -> tuple[str, ...]:
    found, interval = line.found, line.interval
    return (
        line.what,
        f"{100 * found.cpt_50:.1f} %",
        f"{100 * found.cpt_80:.1f} %",
        f"{found.apgr:.3f}",
        "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]",
        "" if line.floor is None else f"{line.floor:.2f}",
        {None: "", True: "met", False: "MISSED"}[line.met],
    )
