"""The state as commands reach it: where the settings say, made on first use where it is a file."""

from collections.abc import Mapping
from pathlib import Path

from serving.check import StateCheck
from serving.errors import StateError
from serving.serve_config import ServeConfig, data_folder
from serving.state import State
from serving.state.engines import is_missing, naming_of, parse_url
from serving.state.migrate import migrate
from serving.state.neighbours import Neighbours

__all__ = ["check_state", "neighbours_of", "open_state", "prepare", "state_url_of", "unset_keys"]


def state_url_of(config: Path | None, environ: Mapping[str, str]) -> str:
    """Return the URL of the database that the settings name.

    Raises:
        ConfigError: the settings are wrong; in one line.
    """
    serve = ServeConfig() if config is None else ServeConfig.load(config)
    return serve.state_url(environ)


def unset_keys(config: Path | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is to be said of keys of direct providers that are not in the environment.

    Raises:
        ConfigError: the settings are wrong; in one line.
    """
    serve = ServeConfig() if config is None else ServeConfig.load(config)
    named = serve.break_glass.variables
    return tuple(f"{each} is not set, and [break_glass] names it" for each in named if not environ.get(each))


def prepare(url: str, environ: Mapping[str, str]) -> bool:
    """Create a SQLite file that is not there; return whether that was so.

    Nothing is lost by it, while the schema of a database that stands is changed by `migrate` alone.

    Raises:
        StateError: it cannot be created.
    """
    parsed = parse_url(url)
    if not is_missing(parsed):
        return False
    folder = Path(str(parsed.database)).parent
    if folder == data_folder(environ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"{folder}: the folder for the state cannot be made: {error.strerror}"
            ) from error
    migrate(url)
    return True


def check_state(config: Path | None, environ: Mapping[str, str]) -> StateCheck:
    """Return how the database is that the settings name; nothing is created.

    Raises:
        ConfigError: the settings are wrong; in one line.
    """
    url = state_url_of(config, environ)
    try:
        parsed = parse_url(url)
        name = naming_of(parsed).name
    except StateError as error:
        return StateCheck("the database", None, f"{error}")
    if is_missing(parsed):
        return StateCheck(name, None, remark="not there yet: serve creates it")
    try:
        with State.open(url) as state:
            return StateCheck(name, sum(key.revoked_at is None for key in state.api_keys.all()))
    except StateError as error:
        return StateCheck(name, None, f"{error}")


def neighbours_of(config: Path | None, url: str) -> Neighbours | None:
    """Return the semantic cache's index, made where it is missing; None where the settings leave it off.

    Raises:
        ConfigError: the settings are wrong; in one line.
        StateError: it cannot be had; in one line that says what to do.
    """
    serve = ServeConfig() if config is None else ServeConfig.load(config)
    return Neighbours.open(url) if serve.cache.semantic.enabled else None


def open_state(config: Path | None, environ: Mapping[str, str]) -> State:
    """Open the state that the settings name.

    Raises:
        ConfigError: the settings are wrong; in one line.
        StateError: the database cannot be used.
    """
    url = state_url_of(config, environ)
    prepare(url, environ)
    return State.open(url)
