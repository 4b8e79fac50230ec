"""Write outcomes as a labelled set, row by row: the file serves to train on and is an outcome table too."""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from classifier import Tier
from training.errors import OutputError
from training.outcome_labels import OutcomeLabels
from training.outcome_prompts import DescribedPrompt
from training.outcome_table import OutcomeTable

__all__ = ["labelled_rows", "rounded_weight", "write_labelled_outcomes"]


def write_labelled_outcomes(
    path: Path, table: OutcomeTable, prompts: Iterable[DescribedPrompt], labels: OutcomeLabels
) -> None:
    """Write one JSON object a prompt, the whole file or none of it.

    Args:
        path: the JSON Lines file to write.
        table: the outcomes.
        prompts: their prompts with what is said of them, in the table's order.
        labels: their labels.

    Raises:
        OutputError: if it could not be written; what stood there before is untouched.
        DataError: the prompts could not be read again.
    """
    with _whole_file(path) as stream:
        for row in labelled_rows(table, prompts, labels):
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def rounded_weight(weight: float) -> float:
    """Return a weight as it is written: with six decimals."""
    return round(float(weight), 6)


def labelled_rows(
    table: OutcomeTable, prompts: Iterable[DescribedPrompt], labels: OutcomeLabels
) -> Iterator[dict[str, object]]:
    """Yield the rows of the labelled set; columns that say nothing are left out."""
    for place, described in enumerate(prompts):
        is_text = isinstance(described.prompt, str)
        words = {
            "source": described.source,
            "language": described.language,
            "domain": described.domain,
            "id": described.id,
        }
        yield {
            "prompt" if is_text else "messages": described.prompt,
            "tier": Tier(int(labels.tiers[place])).label,
            "weight": rounded_weight(labels.weights[place]),
            **{name: word for name, word in words.items() if word},
            **_numbers(table, place),
        }


def _numbers(table: OutcomeTable, place: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, values in (("score", table.scores), ("usd", table.usd), ("tokens", table.tokens)):
        if values is not None:
            row = values[place].tolist()
            found |= {f"{name}:{tier.label}": value for tier, value in zip(table.tiers, row, strict=True)}
    return found


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """Open a file beside `path`, and put it in its place when all is written."""
    target = path.resolve()  # a link stays a link
    beside = target.with_name(f".{target.name[:100]}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):
            raise OutputError(f"{path}: could not be written: {error.strerror or error}") from error
        raise
