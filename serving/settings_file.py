"""Settings from a TOML file, and what is wrong with them in one line."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from serving.errors import ConfigError

__all__ = ["Section", "first_problem", "read_settings"]


T = TypeVar("T")


class Section(BaseModel):
    """A table of a settings file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_settings(path: Path, read: Callable[[dict[str, Any]], T]) -> T:
    """Read a TOML file.

    Args:
        path: of the file.
        read: makes settings of its values, or raises ConfigError.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or holds a wrong or unknown key; in one line.
    """
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}: save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def first_problem(error: ValidationError, settings: type[BaseModel], also: tuple[str, ...] = ()) -> str:
    """Return the problem that tells most, in one line: where, what, and what would be right.

    Args:
        error: with all problems.
        settings: that were read.
        also: keys beside theirs that the same file may hold.
    """
    problems = error.errors(include_url=False)  # a misspelt key tells more than the one it leaves missing
    problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
    where = ".".join(f'"{part}"' if "/" in str(part) else str(part) for part in problem["loc"])
    match problem["type"]:
        case "value_error":
            return str(problem["ctx"]["error"])
        case "extra_forbidden":
            return f"{where}: unknown key; {_known_keys(settings, problem['loc'], also)}"
        case "missing":
            return f"{where}: missing"
        case "string_pattern_mismatch" if where.endswith("base_url"):
            return f"{where}: {problem['input']!r} is no base URL: write it like 'https://global-apis.com/v1'"
        case "string_pattern_mismatch" if where.endswith("endpoint"):
            return f"{where}: {problem['input']!r} is no URL: write it like 'http://127.0.0.1:4318/v1/traces'"
        case "string_pattern_mismatch" if where.endswith("key_variable"):  # it may be the key itself
            return f"{where}: not the name of an environment variable: write it like 'PROVIDER_API_KEY'"
        case "string_pattern_mismatch":
            return f"{where}: {problem['input']!r} is not a name: it must not hold white space"
    return f"{where}: {problem['input']!r}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _known_keys(settings: type[BaseModel], where: tuple[int | str, ...], also: tuple[str, ...]) -> str:
    section = settings
    for part in where[:-1]:
        known = section.model_fields.get(str(part))
        section = section if known is None else _section_in(known.annotation) or section
    names = (*section.model_fields, *(also if len(where) == 1 else ()))
    return f"known here: {', '.join(names)}"


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation holds, in whatever it is wrapped: a union, a mapping's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _section_in(each))), None)
