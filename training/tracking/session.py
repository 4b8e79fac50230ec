"""What every use of MLflow needs around it: settings, silence, one kind of error, and a turn at the store."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path

from classifier.atomic_file import write_whole
from training.errors import TrackingError
from training.tracking import local_store
from training.tracking.process_scope import environment_defaults, hushed, import_path_restored

__all__ = ["FIRST_CALL", "LATER_CALLS", "make_store", "mlflow_session", "store_turn", "tracking_uri"]

FIRST_CALL = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
LATER_CALLS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # training is offline: nothing calls home
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # or the lock file of whatever project we stand in joins the model
}
SET_BY_MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID")
STORE_WAIT_SECONDS = 60.0
LONGEST_PROBLEM = 300  # characters of a message that still make one line
CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")
OTHER_SCHEMA = ("out-of-date database schema", "Can't locate revision")


def tracking_uri(environ: Mapping[str, str], folder: Path) -> str:
    """Choose the store: the server that `MLFLOW_TRACKING_URI` names, else `mlflow.db` in a folder.

    The artifacts of an SQLite store lie beside it, under `mlruns/`; `mlflow ui` in that folder shows both.

    >>> tracking_uri({"MLFLOW_TRACKING_URI": "http://tracking:5000"}, Path("/srv"))
    'http://tracking:5000'
    """
    named = environ.get("MLFLOW_TRACKING_URI", "").strip()
    return named or f"sqlite:///{(folder.absolute() / local_store.STORE_NAME).as_posix()}"


@contextmanager
def store_turn(uri: str) -> Iterator[Path | None]:
    """Hold the SQLite store behind a URI, so that what is started at once takes turns; other stores pass.

    Yields:
        The store's file; None for a server or another database.

    Raises:
        TrackingError: The folder cannot be written to, the store is unsound, or another run kept it busy.
    """
    database = local_store.database_of(uri)
    with ExitStack() as scope:
        if database is not None:
            scope.enter_context(local_store.exclusive(database, STORE_WAIT_SECONDS))
            local_store.refuse_unsound(database)
        yield database


@contextmanager
def mlflow_session(
    uri: str, environ: MutableMapping[str, str], limits: Mapping[str, str], failure: str
) -> Iterator[None]:
    """Let MLflow work against a store: quietly, within time limits, its errors told in one line.

    What it prints is held back: what matters arrives as an exception. Its tracking URI, one for the whole
    process, stays at `uri`.

    Args:
        uri: The store.
        environ: The environment of this process, the one place where MLflow looks for settings: what is not
            set there is set meanwhile, and then put back.
        limits: `FIRST_CALL` to give up soon on a server that is not there, `LATER_CALLS` after it answered.
        failure: What is to be said to have failed, up to the word before the store's name.

    Raises:
        TrackingError: Whatever MLflow, its database layer, the network or the disk raised.
    """
    with ExitStack() as scope:
        scope.enter_context(environment_defaults(environ, {**QUIET, **limits}, also_restore=SET_BY_MLFLOW))
        scope.enter_context(hushed())
        scope.enter_context(_one_error(uri, failure))
        scope.enter_context(import_path_restored())
        import mlflow

        mlflow.set_tracking_uri(uri)
        yield


def make_store(database: Path) -> None:
    """Let MLflow make its tables elsewhere: interrupted half way, it could never use the file again."""
    import mlflow

    with tempfile.TemporaryDirectory(prefix="tierwise-", ignore_cleanup_errors=True) as folder:
        fresh = Path(folder) / database.name
        mlflow.MlflowClient(f"sqlite:///{fresh.as_posix()}").search_experiments(max_results=1)
        write_whole(database, fresh.read_bytes())


@contextmanager
def _one_error(uri: str, failure: str) -> Iterator[None]:
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    # A URI that nobody can parse ends in a ValueError, a missing database driver in an ImportError.
    except (MlflowException, SQLAlchemyError, CommandError, ImportError, OSError, ValueError) as error:
        raise TrackingError(_explain(uri, failure, " ".join(str(error).split()))) from error


def _explain(uri: str, failure: str, problem: str) -> str:
    """Word a failure in one line: where, what, and what to do; no password that stands in a URI."""
    what = problem.rpartition("(Caused by ")[2]  # the network's own words, behind all that was tried
    if len(what) > LONGEST_PROBLEM:
        what = f"{what[:LONGEST_PROBLEM]}..."
    return CREDENTIALS.sub("***@", f"{failure} {uri} ({what}): {_remedy(uri, problem)}")


def _remedy(uri: str, problem: str) -> str:
    if any(words in problem for words in OTHER_SCHEMA):
        return (
            f"another MLflow than this one ({metadata.version('mlflow')}) wrote the store: install that one,"
            f" or, where it was an older one, back the store up and run `mlflow db upgrade {uri}`"
        )
    if local_store.database_of(uri) is not None:
        return "check that its folder can be written to and has room, or name another in MLFLOW_TRACKING_URI"
    return (
        "check that MLFLOW_TRACKING_URI names a tracking server that runs;"
        f" without that variable runs go to {local_store.STORE_NAME} in the working directory"
    )
