"""Write outcomes as a labelled set, row by row: the file serves to train on and is an outcome table too."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from classifier import Tier
from classifier.atomic_file import whole_file
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
    try:
        with whole_file(path) as file:
            for row in labelled_rows(table, prompts, labels):
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise OutputError(f"{path}: could not be written: {error.strerror or error}") from error


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
