"""The guard: pairs that it must keep apart, pairs that it should let pass, laws that hold for any text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.cache.differences import LONGEST, Kind, difference
from serving.cache.differences.languages import language_of
from serving.cache.differences.lexicon import LANGUAGES, Lexicon, lexicon_of

APART = [
    ("negation", "Is aspirin safe for cats?", "Is aspirin not safe for cats?"),
    ("negation", "Can I freeze eggs with the shell?", "Can't I freeze eggs with the shell?"),
    ("negation", "Why do cats like milk but not dogs?", "Why do dogs like milk but not cats?"),
    ("negation", "Darf man hier parken?", "Darf man hier nicht parken?"),
    ("negation", "Peut-on manger du camembert ?", "Peut-on ne pas manger du camembert ?"),
    ("negation", "¿Cómo hago una tortilla con cebolla?", "¿Cómo hago una tortilla sin cebolla?"),
    ("negation", "Можно ли пить кофе?", "Нельзя ли не пить кофе?"),
    ("negation", "商品可以退货吗?", "商品不可以退货吗?"),
    ("negation", "この薬を飲んでもいいですか", "この薬を飲まない方がいいですか"),
    ("negation", "هل يمكنني تناول القهوة؟", "هل يمكنني عدم تناول القهوة؟"),
    ("number", "Give me a recipe for 6 people", "Give me a recipe for 16 people"),
    ("number", "What is 1.5 million in words?", "What is 1.5 thousand in words?"),
    ("number", "Is it open on 2024-05-01?", "Is it open on 2024-05-10?"),
    ("number", "What is new in Python 3.11.2?", "What is new in Python 3.12.1?"),
    ("number", "Wie koche ich für zwei Personen?", "Wie koche ich für drei Personen?"),
    ("number", "给我三个例子", "给我五个例子"),
    ("name", "Write to Mark about the plan", "Write to Marks about the plan"),
    ("unit", "How far is 5 km on foot?", "How far is 5 miles on foot?"),
    ("unit", "How much is 20 USD?", "How much is 20 EUR?"),
    ("unit", "Is 39 °C a fever?", "Is 39 °F a fever?"),
    ("unit", "Is 20 mg of it dangerous?", "Is 20 g of it dangerous?"),
    ("language", "What is compound interest?", "Was ist Zinseszins?"),
    ("language", "Translate hi into French", "Translate hi into German"),
    ("language", "请翻译成法语", "请翻译成德语"),
    ("direction", "Flights from Paris to Rome", "Flights from Rome to Paris"),
    ("direction", "Convert 5 km to miles", "Convert 5 miles to km"),
    ("direction", "Does the dog bite the man?", "Does the man bite the dog?"),
    ("direction", "Python for Java developers", "Java for Python developers"),
    ("direction", "Write an email to my landlord", "Write an email about my landlord"),
    ("direction", "Who led France before him?", "Who led France after him?"),
    ("direction", "What is 5% of 20?", "What is 20% of 5?"),
    ("direction", "How do I rename a to b in git?", "How do I rename b to a in git?"),
    ("direction", "猫が犬を追う", "犬が猫を追う"),
    ("direction", "把英语翻译成法语", "把法语翻译成英语"),
    ("direction", "Rechne 10 Meter in Kilometer um", "Rechne 10 Kilometer in Meter um"),
    ("tense", "Who is the president of France?", "Who was the president of France?"),
    ("tense", "What is the weather today?", "What is the weather tomorrow?"),
    ("tense", "Wie ist das Wetter heute?", "Wie ist das Wetter morgen?"),
    ("opposite", "How do I enable dark mode?", "How do I disable dark mode?"),
    ("opposite", "What is the highest peak?", "What is the lowest peak?"),
    ("opposite", "Do all birds fly?", "Do only birds fly?"),
    ("question", "Who sings here?", "When do you sing here?"),
    ("modal", "Should I sell it?", "Must I sell it?"),
    ("name", "Who wrote Hamlet?", "Who wrote Macbeth?"),
    ("name", "How do I open a .csv file?", "How do I open a .tsv file?"),
    ("name", "What does s.lstrip() do?", "What does s.rstrip() do?"),
    ("name", 'Give me synonyms for "very happy"', 'Give me synonyms for "very sad"'),
    ("name", "Is it in the US?", "Is it in the EU?"),
    ("name", "What is %M in strftime?", "What is %m in strftime?"),
    ("name", "Sum up column A", "Sum up column B"),
    ("wording", "Is foo == bar in C?", "Is foo != bar in C?"),
    ("wording", "What is s[::-1] here?", "What is s[:-1] here?"),
    ("wording", "Let's eat, Grandma, she said", "Let's eat Grandma, she said"),
    ("opposite", "What causes migraine?", "What cures migraine?"),
    ("wording", "What heals migraine?", "What eases migraine?"),
    ("wording", "How do I cook lasagne?", "How do I cook vegan lasagne?"),
    ("wording", "if x:\n  print(1)\n  print(2)", "if x:\n  print(1)\nprint(2)"),
    ("unjudged", "Hur bakar jag bullar utan ägg?", "Hur bakar jag bullar med ägg?"),
    ("unjudged", "Jak policzyć linie?", "Jak policzyć słowa?"),
    ("unjudged", "x" * (LONGEST + 1), "y" * (LONGEST + 1)),
]

TOGETHER = [
    ("How do I reset my password?", "What is the best way to reset my password?"),
    ("What's the capital of France?", "what is france's capital"),
    ("How do I reverse a list in Python?", "In Python, how can I reverse a list"),
    ("What is the population of Peru?", "How many people live in Peru?"),
    ("Flights from Paris to Rome", "Flights to Rome from Paris"),
    ("Convert 1,000 km to miles", "convert 1000 kilometers into miles"),
    ("Is 1e3 more than twelve?", "Is 1000 more than 12?"),
    ("Explain why the sky is blue", "Why is the sky blue?"),
    ("I want to know how to boil an egg", "how do you boil eggs?"),
    ("Give me a recipe for pancakes", "Could you give me a pancake recipe?"),
    ("Say hello!!", "say hello"),
    ("Wie kann ich mein Passwort ändern?", "Bitte erkläre mir, wie ich mein Passwort ändern kann"),
    ("Comment puis-je changer mon mot de passe ?", "Comment changer mon mot de passe"),
    ("¿Cómo puedo cambiar mi contraseña?", "¿Cuál es la mejor manera de cambiar mi contraseña?"),
    ("Как мне сбросить пароль?", "Каким образом можно сбросить пароль?"),
    ("如何重置密码?", "怎样重置我的密码"),
    ("给我三个例子", "请给我3个例子"),
    ("パスワードをリセットする方法を教えてください", "どうすればパスワードをリセットできますか"),
    ("كيف يمكنني تغيير كلمة المرور؟", "ما هي طريقة تغيير كلمة المرور؟"),
    ("Hur bakar jag bullar?", "hur bakar jag bullar"),
]


@pytest.mark.parametrize(("kind", "one", "other"), APART, ids=[each[1][:40] for each in APART])
def test_what_differs_is_kept_apart_and_the_difference_is_named(kind: str, one: str, other: str) -> None:
    found, back = difference(one, other), difference(other, one)
    assert found is not None
    assert back is not None
    assert found.kind is Kind(kind)
    assert all(isinstance(word, str) for word in found.words)


@pytest.mark.parametrize(("one", "other"), TOGETHER, ids=[each[0][:40] for each in TOGETHER])
def test_what_differs_in_words_alone_passes(one: str, other: str) -> None:
    assert difference(one, other) is None
    assert difference(other, one) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lexicon_can_be_read_and_knows_negations_numbers_and_questions(language: str) -> None:
    lexicon = lexicon_of(language)
    assert lexicon is not None
    kinds = {concept.kind for concept in lexicon.concepts.values()}
    assert {"light", "negation", "tense", "question", "unit", "language", "opposite"} <= kinds


def test_a_lexicon_s_line_in_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"xx.txt, line 2: write it as"):
        Lexicon.parse("xx", "light: the\nno colon")


def test_languages_without_a_lexicon_are_none() -> None:
    assert lexicon_of("sv") is None
    assert language_of([]) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_judged_alike_in_both_orders(one: str, other: str) -> None:
    assert (difference(one, other) is None) == (difference(other, one) is None)


@given(st.text(max_size=200))
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert difference(text, text) is None


TELLING = "not no 5 7 km miles from to Paris Rome before after a the is was more less , ?"
WORDS = st.sampled_from(TELLING.split())


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8))
def test_the_order_of_two_asks_of_telling_words_does_not_matter(one: list[str], other: list[str]) -> None:
    texts = " ".join(one), " ".join(other)
    assert (difference(*texts) is None) == (difference(*texts[::-1]) is None)


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a/", "1.", "((", '"', "'", "`", "不", "a_", "- ", "=", "é ", "the "]
)
def test_texts_that_are_made_to_be_slow_are_not(piece: str) -> None:
    text = (piece * LONGEST)[: LONGEST - 1]
    begun = time.perf_counter()
    difference(f"{text}x", f"{text}y")
    assert time.perf_counter() - begun < 5
