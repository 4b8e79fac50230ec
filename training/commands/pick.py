"""`pick`: choose which prompts of a log to label."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Never

from tqdm import tqdm

from classifier import Prompt, TierPredictor
from classifier.atomic_file import write_whole
from training.commands.inputs import (
    load_predictor,
    print_result,
    refuse_other_than_json_lines,
    refuse_overwriting,
    refuse_unwritable,
)
from training.commands.options import add_json, add_seed, whole_number
from training.errors import RowError
from training.picking import pick
from training.picking_log import LoggedPrompt, full_rows, log_files, read_log
from training.picking_pool import Judge, draw_pool, prompt_digest
from training.picking_strategies import DEFAULT_STRATEGY, STRATEGIES
from training.picking_text import BENCHMARK_VERDICT, picked_text
from training.table_files import Report
from training.text_tables import wrapped

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "pick"
HELP = "choose which prompts of a log to label"
EXAMPLES = f"""\
strategies:
  random     any distinct prompt is as likely as any other
  diverse    far apart in what they are about: drawn like the first centres of k-means++
  uncertain  the prompts between whose two most probable tiers the model hesitates most
  both       drawn as the diverse ones, the likelier the less sure the model is

{wrapped(BENCHMARK_VERDICT)}

Prompts are the same when the human's turns are, but for case, spacing and injected blocks; of
near-duplicates (a typing error, another word, another name in a template) one is kept. Rows with
pictures, sound or files, that end with a tool's result or are longer than 200,000 characters are
set aside. All columns of a row are kept, and a row without an `id` gets one. The choice depends
neither on the order of the rows nor on how often each stands there, only on the seed.
A log of 100,000 prompts (35 MB) took 3 minutes of one core and 0.5 GB.

examples:
  python -m training pick log.jsonl -n 300 --out to_label.jsonl
  python -m serving label to_label.jsonl --budget-usd 5
  python -m training pick log.parquet -n 200 --strategy both --model mine.tierwise \\
      --labelled outcomes.jsonl --out more.jsonl
"""
_POOL = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "log",
        type=Path,
        metavar="LOG",
        help="JSON Lines, CSV or Parquet with `prompt` or `messages`, a folder of these, or text (.txt, "
        ".log) with one prompt a line",
    )
    parser.add_argument("-n", type=whole_number(1), required=True, metavar="N", help="how many to choose")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the JSON Lines file to write"
    )
    parser.add_argument(
        "--model",
        default="default",
        metavar="MODEL",
        help="the current model, whose uncertainty counts: a model file, or 'default' for the packaged one",
    )
    parser.add_argument(
        "--strategy",
        choices=list(STRATEGIES),
        default=DEFAULT_STRATEGY,
        help="how to choose (%(default)s); see below",
    )
    parser.add_argument(
        "--labelled",
        type=Path,
        metavar="DATA",
        help="leave out the prompts of this file or folder: they have labels already",
    )
    parser.add_argument(
        "--pool",
        type=whole_number(1),
        default=_POOL,
        metavar="M",
        help="of a log with more distinct prompts look closely at so many, drawn at random (%(default)s)",
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )
    add_seed(parser, "the draw, the clusters and the choice")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Choose, write and report."""
    refuse_unwritable(arguments.out)
    refuse_other_than_json_lines(arguments.out)
    refuse_overwriting(arguments.out, arguments.log, arguments.labelled)
    predictor = load_predictor(arguments.model)
    report = _lister if arguments.skip_bad_rows else _raise
    files = log_files(arguments.log)
    labelled = _labelled(arguments.labelled, report)
    with tqdm(desc="reading", unit=" rows", disable=None, file=sys.stderr) as bar:
        rows = _counted(files, report, bar)
        pool = draw_pool(
            rows, _judge(predictor), limit=arguments.pool, seed=arguments.seed, labelled=labelled
        )
        picked = pick(
            pool,
            arguments.n,
            strategy=arguments.strategy,
            seed=arguments.seed,
            model=predictor.version,
            step=bar.set_description,
        )
    lines = (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in full_rows(picked.places))
    write_whole(arguments.out, "".join(lines).encode())
    print_result(
        arguments.json,
        lambda: {**picked.as_dict(), "written": str(arguments.out)},
        lambda: picked_text(picked, arguments.out),
    )
    return 0


def _judge(predictor: TierPredictor) -> Judge:
    def judge(prompt: Prompt) -> tuple[float, float, float]:
        return predictor.decide(prompt).probabilities

    return judge


def _labelled(path: Path | None, report: Report) -> frozenset[bytes]:
    if path is None:
        return frozenset()
    return frozenset(prompt_digest(row.asked) for file in log_files(path) for row in read_log(file, report))


def _counted(files: list[Path], report: Report, bar: "tqdm[Never]") -> Iterator[LoggedPrompt]:
    for file in files:
        for row in read_log(file, report):
            bar.update()
            yield row


def _raise(error: RowError) -> None:
    raise error


def _lister(error: RowError) -> None:
    print(f"skipped: {error}", file=sys.stderr)
