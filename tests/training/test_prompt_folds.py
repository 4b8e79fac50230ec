import numpy as np

from training.prompt_folds import prompt_folds


def test_repeated_prompts_share_a_fold_whatever_their_spacing_and_case() -> None:
    folds = prompt_folds(["What is DNA?", "what  is dna?\n"])
    assert folds[0] == folds[1]


def test_folds_are_about_equally_large() -> None:
    counts = np.bincount(prompt_folds([f"question {number}" for number in range(2000)]), minlength=5)
    assert counts.min() > 320


def test_the_order_of_prompts_moves_none_to_another_fold() -> None:
    prompts = [f"question {number}" for number in range(50)]
    assert prompt_folds(prompts[::-1]).tolist() == prompt_folds(prompts).tolist()[::-1]


def test_a_conversation_of_one_turn_is_in_the_fold_of_its_text() -> None:
    folds = prompt_folds(["Who wrote Faust?", [{"role": "user", "content": "who wrote  Faust?"}]], folds=97)
    assert folds[0] == folds[1]
