"""What MODEL_FILE.md tells porters is what the code does."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import classifier
from classifier import TierPredictor, injected
from classifier.conversation import ConversationHead, conversation_features, judged_texts
from classifier.excerpt import ask_and_middle, both_ends
from classifier.features import TextFeatures
from classifier.follow_up import ASSENT, CLOSING
from classifier.model_file import Model
from classifier.policies import risk
from classifier.prompt_model import softmax
from classifier.reading import read
from classifier.statistic import COUNTS, STATISTICS
from classifier.tier import TIERS
from classifier.tokens import Ngrams, tokenise
from tests.classifier.small_model import PAIRS, STEMS, WORDS

PAGE = (Path(classifier.__file__).parent / "MODEL_FILE.md").read_text(encoding="utf-8")
MODEL, TEXT, CHAT = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def close(value: Any) -> Any:
    return pytest.approx(value, abs=1e-12)


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_the_page_repeats_the_patterns() -> None:
    blocks = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert [block.replace("\n", "") for block in blocks] == [injected._NAMES, CLOSING, ASSENT]


def test_the_page_names_every_statistic_and_count_in_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", PAGE.partition("## 5")[2].partition("## 6")[0], re.MULTILINE)
    assert rows == [statistic.name for statistic in STATISTICS]
    counts = PAGE.partition("Counts are,")[2].partition("**Brevity**")[0]
    places = [counts.index(f"`{count.name}`") for count in COUNTS]
    assert places == sorted(places)


def test_the_page_words_every_statistic_and_count() -> None:
    section = PAGE.partition("## 10")[2].partition("## An example")[0]
    told = re.findall(r"^\| `(\w+)` \| ([^`|]+) \| ([^`|]+) \|$", section, re.MULTILINE)
    assert told == [(each.name, each.large, each.small) for each in (*STATISTICS, *COUNTS)]


def ranges(text: str) -> set[int]:
    """The code points of "U+0021-002F, 003A"."""
    pairs = re.findall(r"\b([0-9A-F]{4,5})(?:-([0-9A-F]{4,5}))?\b", text)
    return {code for first, last in pairs for code in range(int(first, 16), int(last or first, 16) + 1)}


def test_the_page_lists_white_space() -> None:
    listed = ranges(PAGE.partition("means exactly ")[2].partition(" (so not")[0])
    assert listed == {code for code in range(0x110000) if chr(code).isspace()}


def test_the_page_lists_the_characters_that_are_tokens_by_themselves() -> None:
    section = PAGE.partition("3. **Tokens**")[2].partition("4. **N-grams**")[0]
    listed = {code for code in ranges(section.partition("\n   - ")[2]) if not chr(code).isspace()}
    codes = [*range(0x20000), *range(0x20000, 0x110000, 97)]
    settled = [code for code in codes if not chr(code).isspace() and is_settled(chr(code))]
    assert {code for code in settled if is_alone(chr(code))} == listed & set(settled)


def is_settled(character: str) -> bool:
    """Whether neither case nor composition changes it."""
    return unicodedata.normalize("NFC", f"a{character.lower()}b") == f"a{character}b"


def is_alone(character: str) -> bool:
    return tokenise(f"a{character}b") == ["a", character, "b"]


def test_the_model_of_the_example_is_the_small_one(small: Model) -> None:
    prompts = small.prompts
    assert plain([WORDS, STEMS]) == [MODEL["words"], MODEL["stems"]]
    assert plain({" ".join(pair): row for pair, row in PAIRS.items()}) == MODEL["pairs"]
    assert [prompts.excerpt._asdict(), plain(prompts.intercept)] == [MODEL["excerpt"], MODEL["intercept"]]
    told = MODEL["statistics"]
    for weight in prompts.statistics:
        weights = told["weights"].get(weight.name, told["weights"]["every other"])
        assert weight[1:] == (told["mean"], told["scale"], *weights)
    assert small.policy.as_dict() == MODEL["policy"]


def test_the_head_of_the_example_is_the_small_one(small: Model) -> None:
    head, told = head_of(small), MODEL["head"]
    assert plain(head.intercept) == told["intercept"]
    assert plain({weight.role: weight.matrix for weight in head.roles}) == told["roles"]
    of_each = (told["counts"]["mean"], told["counts"]["scale"], *told["counts"]["weights"])
    assert {weight[1:] for weight in head.counts} == {of_each}


def head_of(model: Model) -> ConversationHead:
    assert model.head is not None
    return model.head


def test_the_text_of_the_example_is_cut_as_told(small: Model) -> None:
    ask, middle = ask_and_middle(both_ends(TEXT["text"], 500), 40)
    assert (ask, middle) == (TEXT["ask"], TEXT["middle"])
    assert [tokenise(ask), tokenise(middle)] == [TEXT["ask_tokens"], TEXT["middle_tokens"]]
    found = features(small)
    assert list(found.ask.stems) == TEXT["ask_stems"]
    assert list(rest(found).stems) == TEXT["middle_stems"]
    assert list(rest(found).words) == TEXT["middle_words"]


def features(model: Model) -> TextFeatures:
    return model.prompts.features(TEXT["text"])


def rest(found: TextFeatures) -> Ngrams:
    assert found.middle is not None
    return found.middle


def test_the_text_of_the_example_weighs_what_is_told(small: Model) -> None:
    found = features(small)
    assert rows(found.ask) == TEXT["ask_rows"]
    assert rows(rest(found)) == TEXT["middle_rows"]
    assert list(found.statistics) == close(TEXT["statistics"])
    score = small.prompts.score(found)
    assert list(score.contrast) == close(TEXT["contrast"])
    assert score.known_vocabulary == close(TEXT["known_vocabulary"])
    assert list(softmax(score.contrast)) == close(TEXT["probabilities"])


def rows(found: Ngrams) -> dict[str, list[float]]:
    known = MODEL["words"] | {f"{stem}…": row for stem, row in MODEL["stems"].items()} | MODEL["pairs"]
    return {name: known[name] for name in found.names() if name in known}


def spelled_out(text: str) -> str:
    return text.replace("the text above", TEXT["text"])


def test_the_conversation_of_the_example_comes_out_as_told(small: Model) -> None:
    messages = [each | {"content": spelled_out(each["content"])} for each in CHAT["messages"]]
    reading = read(messages)
    assert list(judged_texts(reading)) == list(map(spelled_out, CHAT["judged_texts"]))
    prompts = small.prompts
    contrasts = [prompts.score(prompts.features(text)).contrast for text in judged_texts(reading)]
    assert [list(contrast) for contrast in contrasts] == [close(each) for each in CHAT["contrasts"]]
    assert list(conversation_features(reading, contrasts)[-len(COUNTS) :]) == close(CHAT["counts"])
    assert list(head_of(small).contrast(reading, contrasts)) == close(CHAT["contrast"])
    decision = TierPredictor(small).decide(messages)
    assert list(decision.probabilities) == close(CHAT["probabilities"])
    assert decision.known_vocabulary == CHAT["known_vocabulary"]
    assert decision.tier.label == CHAT["tier"]
    assert {tier.label: risk(decision.probabilities, tier) for tier in TIERS[:2]} == close(CHAT["risk_of"])
