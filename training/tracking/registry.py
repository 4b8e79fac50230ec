"""MLflow's model registry: which versions there are, what is written on them, and which one serves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import RegistryError
from training.tracking import local_store
from training.tracking.model_reference import ModelReference, OfAlias, OfLoggedModel, OfRun, OfVersion
from training.tracking.session import FIRST_CALL, LATER_CALLS, mlflow_session, store_turn

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = ["RegisteredVersion", "Registry", "open_registry"]

FAILURE = "the model registry cannot be used in"
FILES_OF_THE_MODEL = "artifacts"  # where MLflow keeps what a models-from-code model was logged with
MISSING = ("RESOURCE_DOES_NOT_EXIST",)


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of a registered model.

    Attributes:
        name: The registered model.
        number: Its version, from 1.
        run_id: The run that made it; empty where MLflow knows none.
        tags: What is written on it.
    """

    name: str
    number: int
    run_id: str
    tags: Mapping[str, str]

    @property
    def reference(self) -> OfVersion:
        """How it is named for good, whatever aliases do."""
        return OfVersion(self.name, self.number)


@contextmanager
def open_registry(uri: str, environ: MutableMapping[str, str], *, turn: bool = True) -> Iterator[Registry]:
    """Open the registry behind a tracking URI.

    Args:
        uri: The store, as from `tracking_uri()`.
        environ: The environment of this process (`os.environ`); see `track`.
        turn: Hold an SQLite store until the block ends, so that nobody decides meanwhile. Reading alone needs
            no turn: an alias is moved in one statement, and the files of a version never change.

    Raises:
        RegistryError: There is no such store yet.
        TrackingError: The store cannot be reached or read, or another run kept it busy.
    """
    database = local_store.database_of(uri)
    if database is not None and not database.exists():
        raise RegistryError(
            f"there is no MLflow store {database}: train with tracking first,"
            " or name the store in MLFLOW_TRACKING_URI"
        )
    with ExitStack() as scope:
        if turn:
            scope.enter_context(store_turn(uri))
        elif database is not None:
            local_store.refuse_unsound(database)
        with mlflow_session(uri, environ, FIRST_CALL, FAILURE):
            from mlflow import MlflowClient

            client = MlflowClient()
            client.search_registered_models(max_results=1)  # is anybody there?
        yield Registry(client, uri, environ)


class Registry:
    """An open registry; `open_registry` makes it. Every method raises TrackingError when the store fails."""

    def __init__(self, client: MlflowClient, uri: str, environ: MutableMapping[str, str]) -> None:
        self._client = client
        self._uri = uri
        self._environ = environ

    def version(self, reference: ModelReference) -> RegisteredVersion:
        """Return the registered version that a reference leads to.

        Raises:
            RegistryError: There is no such version, alias, run or model, or the model was never registered.
        """
        with self._session():
            match reference:
                case OfVersion(name, number):
                    return self._numbered(name, number)
                case OfAlias(name, alias):
                    return self._numbered(name, self._aliased(name, alias))
                case OfLoggedModel(model_id):
                    return self._registered_from(self._run_of(model_id), model_id)
                case OfRun(run_id):
                    return self._registered_from(run_id, None)

    def alias(self, name: str, alias: str) -> RegisteredVersion | None:
        """Return the version that an alias stands on; None where it stands nowhere.

        Raises:
            RegistryError: There is no such registered model, or the alias stands on a version that is gone.
        """
        with self._session():
            number = self._model(name).aliases.get(alias)
            return None if number is None else self._numbered(name, int(number))

    def has(self, name: str, number: int) -> bool:
        """Tell whether the version is still there."""
        with self._session():
            try:
                self._numbered(name, number)
            except RegistryError:
                return False
            return True

    def tags(self, name: str) -> Mapping[str, str]:
        """Return what is written on the registered model as a whole.

        Raises:
            RegistryError: There is no such registered model.
        """
        with self._session():
            return dict(self._model(name).tags)

    def tag(self, name: str, tags: Mapping[str, str], *, version: int | None = None) -> None:
        """Write on the registered model, or on one version of it; a tag that stands there is replaced."""
        with self._session():
            for key, value in tags.items():
                if version is None:
                    self._client.set_registered_model_tag(name, key, value)
                else:
                    self._client.set_model_version_tag(name, str(version), key, value)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias stand on a version; where it stood before, it stands no more."""
        with self._session():
            self._client.set_registered_model_alias(name, alias, str(version))

    def model_file(self, reference: ModelReference) -> tuple[str, bytes]:
        """Return name and content of the model file that was logged with a model, as it came: not checked.

        Raises:
            RegistryError: There is no such model, or it was not logged with one model file.
        """
        from mlflow.artifacts import download_artifacts

        with self._session(), tempfile.TemporaryDirectory(prefix="tierwise-") as folder:
            uri = f"{self._location(reference)}/{FILES_OF_THE_MODEL}"
            with _missing(f"{reference} has no files in the store"):
                downloaded = Path(download_artifacts(artifact_uri=uri, dst_path=folder))
            files = [path for path in downloaded.rglob("*") if path.is_file()]
            if len(files) != 1:
                raise RegistryError(
                    f"{reference} was logged with {len(files)} files;"
                    " a model of Tierwise comes with one, its model file"
                )
            return files[0].name, files[0].read_bytes()

    def _location(self, reference: ModelReference) -> str:
        match reference:
            case OfLoggedModel(model_id):
                with _missing(f"there is no logged model {model_id}"):
                    return str(self._client.get_logged_model(model_id).artifact_location).rstrip("/")
            case OfRun(run_id, model) if model:
                self._check_run(run_id)
                return f"runs:/{run_id}/{model}"
            case _:
                return str(self.version(reference).reference)

    def _session(self) -> AbstractContextManager[None]:
        return mlflow_session(self._uri, self._environ, LATER_CALLS, FAILURE)

    def _model(self, name: str) -> RegisteredModel:
        with _missing(f"there is no registered model {name!r}: train with tracking registers one"):
            return self._client.get_registered_model(name)

    def _numbered(self, name: str, number: int) -> RegisteredVersion:
        with _missing(f"{name!r} has no version {number} in the registry"):
            return _registered(self._client.get_model_version(name, str(number)))

    def _aliased(self, name: str, alias: str) -> int:
        aliases = self._model(name).aliases
        if alias not in aliases:
            known = ", ".join(f"@{each}" for each in sorted(aliases)) or "none yet"
            raise RegistryError(f"{name!r} has no @{alias} (aliases: {known}): promote a version first")
        return int(aliases[alias])

    def _run_of(self, model_id: str) -> str:
        with _missing(f"there is no logged model {model_id}"):
            return str(self._client.get_logged_model(model_id).source_run_id)

    def _check_run(self, run_id: str) -> None:
        with _missing(f"there is no run {run_id} in the store"):
            self._client.get_run(run_id)

    def _registered_from(self, run_id: str, model_id: str | None) -> RegisteredVersion:
        self._check_run(run_id)
        found = self._client.search_model_versions(f"run_id = '{run_id}'")
        versions = [entry for entry in found if model_id is None or entry.source == f"models:/{model_id}"]
        if not versions:
            raise RegistryError(f"run {run_id} registered no model: train with tracking, which registers one")
        if len({entry.name for entry in versions}) > 1:
            several = ", ".join(f"models:/{entry.name}/{entry.version}" for entry in versions)
            raise RegistryError(f"run {run_id} registered several models: name one of {several}")
        return _registered(max(versions, key=lambda entry: int(entry.version)))


def _registered(entry: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(entry.name, int(entry.version), entry.run_id or "", dict(entry.tags))


@contextmanager
def _missing(message: str) -> Iterator[None]:
    """Word it in our terms when the store is well and lacks what was asked for."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in MISSING:
            raise
        raise RegistryError(message) from error
