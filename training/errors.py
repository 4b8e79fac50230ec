"""What can go wrong in training, as one tree.

TrainingError              anything this package raises on purpose
├── DataError              labelled data that cannot be used as it is; the message says where and why
│   └── RowError           one bad row of it, which `skip_bad_rows` leaves out, counts and lists
├── SettingsError          settings that no model can be fitted with
├── EvaluationError        arrays or settings that no evaluation can be made of
├── TargetNotMet           a policy's target that cannot be met; the message gives the nearest that can
├── OutputError            a result that could not be written; what stood there before is whole
├── PromotionError         a promotion or a rollback that cannot be decided as asked
└── TrackingError          MLflow's store cannot be reached, read or written; a run could not be stored
    └── RegistryError      the store is well, and does not have the model, version, alias or run asked for
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "DataError",
    "EvaluationError",
    "OutputError",
    "Place",
    "PromotionError",
    "RegistryError",
    "RowError",
    "SettingsError",
    "TargetNotMet",
    "TrackingError",
    "TrainingError",
]


class TrainingError(Exception):
    """Root of everything that `training` raises on purpose."""


class DataError(TrainingError):
    """Labelled data that cannot be used as it is."""


class SettingsError(TrainingError, ValueError):
    """Settings that no model can be fitted with."""


class EvaluationError(TrainingError, ValueError):
    """Arrays or settings that no evaluation can be made of."""


class TargetNotMet(TrainingError):
    """A target that no setting of a policy meets.

    Attributes:
        nearest: What can be had instead, on a scale where less is nearer; the message says it in words.
    """

    def __init__(self, message: str, nearest: float) -> None:
        super().__init__(message)
        self.nearest = nearest


class OutputError(TrainingError):
    """A result that could not be written; what stood there before is untouched."""


class PromotionError(TrainingError):
    """A promotion or a rollback that cannot be decided as asked; nothing was changed."""


class TrackingError(TrainingError):
    """MLflow's store or server cannot be reached, read or written: a run could not be stored, for one."""


class RegistryError(TrackingError):
    """The store is well, and does not have the model, version, alias or run that was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands.

    Attributes:
        file: The file it was read from.
        row: Its number among the data rows, from 1 (a CSV header is no row).
        line: The line that it begins on, from 1; None in a format without lines.
    """

    file: Path
    row: int
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f" (line {self.line})"
        return f"{self.file}: row {self.row}{line}"


class RowError(DataError):
    """One bad row.

    Attributes:
        place: Where the row stands.
        column: The column at fault; empty when it is the row as a whole.
        problem: What is wrong and what would be right.
    """

    def __init__(self, place: Place, column: str, problem: str) -> None:
        where = f"{place}, column '{column}'" if column else str(place)
        super().__init__(f"{where}: {problem}")
        self.place = place
        self.column = column
        self.problem = problem
