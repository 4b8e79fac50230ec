"""The command line of the benchmarks."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from classifier import ClassifierError
from serving import ServingError
from tests.benchmarks.cache import cache_rows
from tests.benchmarks.inside_litellm import inside_litellm_rows
from tests.benchmarks.javascript import javascript_rows
from tests.benchmarks.load import load_rows
from tests.benchmarks.material import Choices, Material
from tests.benchmarks.outcomes import outcome_rows
from tests.benchmarks.pacing import pacing_rows
from tests.benchmarks.peers import ENVIRONMENTS
from tests.benchmarks.picking import picking_rows
from tests.benchmarks.quality import quality_rows, training_rows
from tests.benchmarks.router import router_rows
from tests.benchmarks.row import Row, Unavailable
from tests.benchmarks.semantic_cache import semantic_cache_rows
from tests.benchmarks.serving import serving_rows
from tests.benchmarks.sessions import session_rows
from tests.benchmarks.soak import main as soak
from tests.benchmarks.speed import speed_rows
from tests.benchmarks.table import table, verdict
from training.errors import TrainingError

__all__ = ["SECTIONS", "main", "section_rows"]

Section = Callable[[Material], Iterator[Row]]

SECTIONS: dict[str, tuple[str, Section]] = {
    "quality": ("Quality on the project's own data", quality_rows),
    "speed": ("Speed of a decision", speed_rows),
    "litellm": ("Inside LiteLLM's auto-router", inside_litellm_rows),
    "javascript": ("Speed of a decision in JavaScript", javascript_rows),
    "load": ("Starting", load_rows),
    "training": ("Training", training_rows),
    "outcomes": ("Public outcomes", outcome_rows),
    "picking": ("Picked labels against random ones", picking_rows),
    "router": ("Router", router_rows),
    "serving": ("The proxy under load", serving_rows),
    "cache": ("Answers from the cache", cache_rows),
    "semantic-cache": ("Answers to asks that mean the same: shares of held-out pairs", semantic_cache_rows),
    "sessions": ("Sessions: flips of the tier for each conversation", session_rows),
    "pacing": ("Pacing a day's premium budget: share of prompts lost", pacing_rows),
}
_OUTCOMES = "TIERWISE_OUTCOMES"
_EXAMPLES = """examples:
  python -m tests.benchmarks                       every section, several minutes
  python -m tests.benchmarks speed load            only these
  python -m tests.benchmarks --full training       with the full settings search
  python -m tests.benchmarks soak --requests 20000 the proxy's memory and files under faults, alone
  python -m tests.benchmarks --json figures.json   the figures for a machine too
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables of the chosen sections; the exit code is 0 whether or not the numbers are reached."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["soak"]:
        return soak(given[1:])
    options = _parser().parse_args(given)
    material = Material(
        Choices(options.data, options.outcomes, options.environments, options.full, options.rounds)
    )
    found: dict[str, list[Row]] = {}
    for name in options.sections or SECTIONS:
        title, section = SECTIONS[name]
        found[name] = section_rows(section, material)
        print(table(title, found[name]), end="\n\n", flush=True)
    print(verdict([row for rows in found.values() for row in rows]))
    if options.json:
        return _write(options.json, found)
    return 0


def section_rows(section: Section, material: Material) -> list[Row]:
    """Return the rows of a section; where it breaks off, the last row says why."""
    rows: list[Row] = []
    try:
        rows += section(material)
    except (Unavailable, ClassifierError, TrainingError, ServingError, OSError) as error:
        rows.append(Row("the rest of this section", note=f"{type(error).__name__}: {error}"))
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure every number to reach, beside its peers, in one run.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sections", nargs="*", choices=[[], *SECTIONS], metavar="SECTION", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument("--full", action="store_true", help="also the full settings search (minutes)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each classifier (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--data", type=Path, default=Path("data"), help="labelled prompts (default: data)")
    outcomes = Path(os.environ.get(_OUTCOMES, "../shared/outcomes"))
    told = f"tables of outcomes (default: ${_OUTCOMES}, else {outcomes})"
    parser.add_argument("--outcomes", type=Path, default=outcomes, help=told)
    parser.add_argument(
        "--environments", type=Path, default=ENVIRONMENTS, help="the peers' environments (default: .bench)"
    )
    return parser


def _write(path: Path, found: dict[str, list[Row]]) -> int:
    facts = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "sections": {name: [row.as_dict() for row in rows] for name, rows in found.items()},
    }
    try:
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0
