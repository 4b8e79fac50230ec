"""All that this project has to do with MLflow: training runs, the model registry, and what surrounds both.

Importing it is cheap. Whatever is called imports MLflow, which takes about two seconds and reads settings of
its own on the way.
"""

from training.tracking.model_reference import (
    ModelReference,
    OfAlias,
    OfLoggedModel,
    OfRun,
    OfVersion,
    parse_model_reference,
)
from training.tracking.registry import RegisteredVersion, Registry, open_registry
from training.tracking.run import MODEL_NAME, TrackedResult, TrackedRun, track
from training.tracking.session import tracking_uri

__all__ = [
    "MODEL_NAME",
    "ModelReference",
    "OfAlias",
    "OfLoggedModel",
    "OfRun",
    "OfVersion",
    "RegisteredVersion",
    "Registry",
    "TrackedResult",
    "TrackedRun",
    "open_registry",
    "parse_model_reference",
    "track",
    "tracking_uri",
]
