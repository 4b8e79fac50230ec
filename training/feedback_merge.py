"""Put labels from feedback beside labels that someone gave on purpose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from training.feedback_labels import LabelledPrompt
from training.labelled import LabelledData
from training.labelled_rows import TIER_NAMES

__all__ = ["PREFERENCES", "Merged", "merge"]

PREFERENCES: Final = ("data", "feedback")


@dataclass(frozen=True, slots=True)
class Merged:
    """A labelled set in which no prompt has two labels.

    Attributes:
        rows: Rows ready for JSON: the labelled data in its order, then the feedback.
        from_data: How many come from the data.
        from_feedback: How many from the feedback.
        agreeing: Prompts in both with the same label; the rows of the data stay.
        contradicting: Prompts in both with different labels; the preferred label stays.
    """

    rows: tuple[dict[str, Any], ...]
    from_data: int
    from_feedback: int
    agreeing: int
    contradicting: int


def merge(data: LabelledData, labels: Sequence[LabelledPrompt], prefer: str = "data") -> Merged:
    """Return both as one labelled set.

    `train` refuses a prompt with two labels, for it cannot know which is right. Here it is known where each
    comes from: a label that somebody gave on purpose stands against a few clicks, unless one prefers these.

    Args:
        data: The labelled rows.
        labels: The labels from feedback, each prompt once.
        prefer: "data" or "feedback": whose label stays where they differ.
    """
    given = {label.text: label for label in labels}
    frame = data.frame
    differing = {
        text
        for text, tier in zip(frame["text"], frame["tier"], strict=True)
        if text in given and int(given[text].tier) != tier
    }
    agreeing = set(frame["text"]) & set(given) - differing
    dropped = differing if prefer == "feedback" else set()
    kept = [row for text, row in _data_rows(data) if text not in dropped]
    added = [label.as_row() for text, label in given.items() if text not in agreeing | (differing - dropped)]
    return Merged((*kept, *added), len(kept), len(added), len(agreeing), len(differing))


def _data_rows(data: LabelledData) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row's text, and the row as it could stand in a file."""
    for row in data.frame.to_dict("records"):
        name = "prompt" if isinstance(row["prompt"], str) else "messages"
        described = {key: row[key] for key in ("source", "language", "domain") if row[key]}
        labelled = {"tier": TIER_NAMES[row["tier"]], "weight": row["weight"]}
        yield row["text"], {"id": row["id"], name: row["prompt"], **labelled, **described}
