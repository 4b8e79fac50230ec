"""What holds for every test, wherever it stands."""

import os


def pytest_configure() -> None:
    """Keep MLflow from calling home: it decides that while it is imported, which collecting tests does."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
