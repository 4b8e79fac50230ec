"""What holds for every test, wherever it stands."""

import os

from hypothesis import settings


def pytest_configure() -> None:
    """Keep MLflow from calling home: it decides that while it is imported, which collecting tests does.

    And let Hypothesis take its time: the machines that run these tests are shared and noisy.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    settings.register_profile("tierwise", deadline=None)
    settings.load_profile("tierwise")
