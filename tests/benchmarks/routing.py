"""`python -m tests.benchmarks.routing`: routing between two models, from public outcomes, in one table."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.routing_blocks import RoutingChoices, routing_blocks
from tests.benchmarks.routing_lines import Block, block_text, verdict_text
from training.text_tables import wrapped

__all__ = ["main"]

_EXAMPLES: Final = """examples:
  python -m tests.benchmarks.routing                       the whole table, about five minutes
  python -m tests.benchmarks.routing --draws 3 --deals 1   a rougher one, in two
  python -m tests.benchmarks.routing --json figures.json   the figures for a machine too
"""
_LEGEND: Final = (
    "APGR: average performance gap recovered, 0.5 by chance, higher is better. CPT(q): share of strong calls"
    " that recovers q of the gap, lower is better. Both as RouteLLM defines them, at the deciles of the win"
    " rate; contaminated prompts are left out; folds and draws keep repeats of a prompt together. Intervals"
    " are of APGR: bootstrap draws of the prompts, or draws of labels where a line names a number of them."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 0 whether or not the floors are reached."""
    options = _parser().parse_args(arguments)
    choices = RoutingChoices(options.outcomes, options.draws, options.deals, options.resamples)
    blocks: list[Block] = []
    for block in routing_blocks(choices):
        print(block_text(block), end="\n\n", flush=True)
        blocks.append(block)
    print(wrapped(_LEGEND))
    print(wrapped(verdict_text(blocks)))
    return _write(options.json, blocks) if options.json else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.routing",
        description="Our features beside RouteLLM's published routers, and learning curves.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--outcomes",
        type=Path,
        default=Path("../shared/outcomes"),
        metavar="DIR",
        help="the folder of public outcome tables (%(default)s)",
    )
    for name, default, told in (
        ("--draws", 20, "draws of labels that are averaged"),
        ("--deals", 3, "deals of the prompts into five folds that are averaged"),
        ("--resamples", 500, "bootstrap draws of the prompts"),
    ):
        parser.add_argument(name, type=_count, default=default, metavar="N", help=f"{told} (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of 1 or more")
    return int(text)


def _write(path: Path, blocks: Sequence[Block]) -> int:
    facts = {
        block.title: {"lines": [line.as_dict() for line in block.lines], "note": block.note}
        for block in blocks
    }
    try:
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
