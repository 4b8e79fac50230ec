"""All that this project has to do with MLflow: training runs, the model registry, and what surrounds both.

Importing it is cheap. Whatever is called imports MLflow, which takes about two seconds and reads settings of
its own on the way.
"""

from training.tracking.run import MODEL_NAME, TrackedResult, TrackedRun, track
from training.tracking.session import tracking_uri

__all__ = ["MODEL_NAME", "TrackedResult", "TrackedRun", "track", "tracking_uri"]
