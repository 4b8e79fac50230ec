"""The smallest instance of a schema, checked by pydantic and by jsonschema."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # comes with nbformat, without types
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.sandbox.answers import count_tokens, pieces, simulated_answer
from serving.sandbox.instances import minimal_instance, minimal_json


class Node(pydantic.BaseModel):
    name: str
    left: "Node | None"
    children: list["Node"]


class Shapes(pydantic.BaseModel):
    short: str = pydantic.Field(min_length=12, max_length=14)
    tight: str = pydantic.Field(max_length=3)
    above: float = pydantic.Field(gt=2.5)
    between: float = pydantic.Field(gt=0, lt=1)
    negative: int = pydantic.Field(lt=0)
    at_most: int = pydantic.Field(le=-7)
    many: list[int] = pydantic.Field(min_length=3)
    pair: tuple[int, str]
    maybe: int | str
    free: dict[str, int]


@pytest.mark.parametrize("model", [Node, Shapes], ids=["recursive", "bounded"])
def test_an_instance_validates_against_the_model(model: type[pydantic.BaseModel]) -> None:
    model.model_validate_json(minimal_json(model.model_json_schema()))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": ["string", "null"]}, None),
        ({"type": ["integer"]}, 0),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"allOf": [{"$ref": "#/$defs/n"}], "$defs": {"n": {"type": "integer", "minimum": 2}}}, 2),
        (
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
                ]
            },
            {"a": None, "b": False},
        ),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"a": 0}),
        ({"$ref": "#"}, None),
        ({}, None),
        ("no schema", None),
        (None, None),
    ],
    ids=str,
)
def test_an_instance_is_minimal(schema: object, value: object) -> None:
    assert minimal_instance(schema) == value


_LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 4},
        {"type": "boolean"},
        {"enum": [1, "x"]},
        {"type": "null"},
    ]
)


def _grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.builds(
        lambda item, n: {"type": "array", "items": item, "minItems": n}, inner, st.integers(0, 3)
    )
    choices = st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner)
    objects = st.dictionaries(st.text(max_size=4), inner, max_size=3).map(
        lambda properties: {"type": "object", "properties": properties, "required": list(properties)}
    )
    return lists | choices | objects


@given(st.recursive(_LEAVES, _grown, max_leaves=8))
def test_any_schema_of_the_usual_kinds_accepts_its_instance(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(json.loads(minimal_json(schema)))


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(st.text(st.characters(), max_size=50), st.integers(0, 3))
def test_any_prompt_is_answered_the_same_way_twice(prompt: str, variant: int) -> None:
    assert simulated_answer("m", prompt, variant) == simulated_answer("m", prompt, variant)


def test_tokens_are_counted_in_fours() -> None:
    assert [count_tokens("x" * n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
