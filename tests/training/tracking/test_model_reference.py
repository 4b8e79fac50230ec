import pytest

from training.errors import RegistryError
from training.tracking import OfAlias, OfLoggedModel, OfRun, OfVersion, parse_model_reference

DIGITS = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("models:/tierwise@champion", OfAlias("tierwise", "champion")),
        ("models:/our router/12", OfVersion("our router", 12)),
        (f"models:/m-{DIGITS}", OfLoggedModel(f"m-{DIGITS}")),
        (DIGITS, OfRun(DIGITS)),
        (f"runs:/{DIGITS}", OfRun(DIGITS)),
        (f"runs:/{DIGITS}/tierwise", OfRun(DIGITS, "tierwise")),
    ],
    ids=["alias", "version", "logged", "run", "run as URI", "model of a run"],
)
def test_every_form_is_read(text: str, reference: object) -> None:
    assert parse_model_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "models:/tierwise",
        "models:/tierwise/0",
        "models:/tierwise/latest",
        "models:/tierwise/Production",
        "models:/a@b@c",
        "models://host/a/1",
        "runs:/x'--",
        f"{DIGITS}0",
        "models:/tierwise/1/artifacts",
    ],
)
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(RegistryError, match=r"names no model: give models:/NAME@ALIAS"):
        parse_model_reference(text)


@pytest.mark.parametrize(
    "text", ["models:/tierwise@champion", "models:/a b/3", f"models:/m-{DIGITS}", f"runs:/{DIGITS}/x"]
)
def test_a_reference_is_worded_as_it_was_typed(text: str) -> None:
    assert str(parse_model_reference(text)) == text
