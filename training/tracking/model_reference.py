"""How people name a model in a registry: `models:/tierwise@champion`, `models:/tierwise/3`, a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from training.errors import RegistryError

__all__ = ["ModelReference", "OfAlias", "OfLoggedModel", "OfRun", "OfVersion", "parse_model_reference"]

_NAME: Final = r"(?P<name>[^/@:]+)"
_VERSION: Final = re.compile(rf"models:/{_NAME}/(?P<version>[1-9][0-9]{{0,8}})")
_ALIAS: Final = re.compile(rf"models:/{_NAME}@(?P<alias>[\w\-]+)")
_LOGGED: Final = re.compile(r"models:/(?P<id>m-[0-9a-f]{32})")
_RUN: Final = re.compile(r"(?:runs:/)?(?P<id>[0-9a-f]{32})(?:/(?P<name>[^/]+))?", re.IGNORECASE)
_FORMS: Final = "models:/NAME@ALIAS, models:/NAME/VERSION, or the 32 digits of an MLflow run's id"


@dataclass(frozen=True, slots=True)
class OfVersion:
    """A version of a registered model."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class OfAlias:
    """The version of a registered model that an alias stands on."""

    name: str
    alias: str

    def __str__(self) -> str:
        return f"models:/{self.name}@{self.alias}"


@dataclass(frozen=True, slots=True)
class OfLoggedModel:
    """A model as it was logged, registered or not: the URI that `train` prints."""

    model_id: str

    def __str__(self) -> str:
        return f"models:/{self.model_id}"


@dataclass(frozen=True, slots=True)
class OfRun:
    """The model of a run; its name where the run logged several."""

    run_id: str
    model: str | None = None

    def __str__(self) -> str:
        return f"runs:/{self.run_id}/{self.model}" if self.model else f"run {self.run_id}"


ModelReference: TypeAlias = OfVersion | OfAlias | OfLoggedModel | OfRun


def parse_model_reference(text: str) -> ModelReference:
    """Read what a user typed. Stages, which MLflow gave up, and "latest", which moves unseen, are refused.

    Raises:
        RegistryError: It names no model; the message lists the forms.

    >>> parse_model_reference("models:/tierwise@champion")
    OfAlias(name='tierwise', alias='champion')
    >>> str(parse_model_reference("models:/tierwise/3"))
    'models:/tierwise/3'
    """
    if found := _LOGGED.fullmatch(text):
        return OfLoggedModel(found["id"])
    if found := _VERSION.fullmatch(text):
        return OfVersion(found["name"], int(found["version"]))
    if found := _ALIAS.fullmatch(text):
        return OfAlias(found["name"], found["alias"])
    if found := _RUN.fullmatch(text):
        return OfRun(found["id"], found["name"])
    raise RegistryError(f"{text!r} names no model: give {_FORMS}")
