"""Simulated grades: fractions, the same again, and kinder to dearer models."""

from itertools import islice, permutations
from statistics import mean

from hypothesis import given
from hypothesis import strategies as st

from serving.sandbox.answers import simulated_answer
from serving.sandbox.grades import simulated_grades
from serving.sandbox.instances import minimal_instance

CHEAP, BALANCED, PREMIUM = "deepseek-ai/DeepSeek-V4-Flash", "Qwen/Qwen3-32B", "Pro/deepseek-ai/DeepSeek-V3.2"
MODELS = (CHEAP, BALANCED, PREMIUM)
GRADE = {"type": "integer", "minimum": 1, "maximum": 5}
SCHEMA = {"type": "object", "properties": {"a": GRADE, "b": GRADE, "c": GRADE}, "required": ["a", "b", "c"]}


def grades(question: str, order: tuple[str, ...] = MODELS) -> list[float]:
    text = "\n".join(simulated_answer(model, question) for model in order)
    return list(islice(simulated_grades(text), 3))


@given(st.text())
def test_any_prompt_has_grades_without_end_and_the_same_again(prompt: str) -> None:
    drawn = list(islice(simulated_grades(prompt), 5))
    assert drawn == list(islice(simulated_grades(prompt), 5))
    assert all(0 <= each <= 1 for each in drawn)


def test_dearer_models_tend_to_get_more_and_not_always() -> None:
    rows = [grades(f"question {number}") for number in range(200)]
    cheap, balanced, premium = (mean(column) for column in zip(*rows, strict=True))
    assert cheap < balanced < premium
    assert any(row[0] >= row[2] for row in rows)


def test_another_order_moves_no_grade_far() -> None:
    usual = dict(zip(MODELS, grades("a question"), strict=True))
    for order in permutations(MODELS):
        moved = zip(order, grades("a question", order), strict=True)
        assert all(abs(usual[model] - grade) <= 0.2 for model, grade in moved)


def test_integers_between_two_bounds_take_the_draws_and_others_stay_small() -> None:
    assert minimal_instance(SCHEMA, [0.0, 0.5, 1.0]) == {"a": 1, "b": 3, "c": 5}
    assert minimal_instance(SCHEMA, [1.0]) == {"a": 5, "b": 1, "c": 1}
    assert minimal_instance({"type": "integer", "minimum": 3}, [1.0]) == 3
    assert minimal_instance({"type": "number", "minimum": 3, "maximum": 9}, [1.0]) == 3
