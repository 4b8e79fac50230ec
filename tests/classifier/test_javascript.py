"""The JavaScript predictor in Node: it says what Python says, and refuses what Python refuses."""

import io
import json
import math
import subprocess
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import classifier
from classifier import (
    AbstainingPolicy,
    BoundedPolicy,
    ExpectedCostPolicy,
    FixedPolicy,
    Policy,
    RiskPolicy,
    Tier,
    TierPredictor,
)
from classifier.conversation import judged_texts
from classifier.follow_up import ASSENT, CLOSING
from classifier.model_file import Model, dump_model, parse_model
from classifier.prompt_model import Row
from classifier.reading import read
from classifier.tokens import Ngrams
from tests.classifier.javascript import NODE, Predictor, assert_agrees, told
from tests.classifier.texts import HUGE, HUGE_IDS, MESSAGES, TEXTS, WORDY
from tests.classifier.vectors import prompt_of, read_vectors

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed: apt-get install nodejs")

FOLDER = Path(classifier.__file__).with_name("javascript")
PACKAGED = Path(classifier.__file__).with_name("default.tierwise")
VECTORS = read_vectors()


@pytest.fixture(scope="module")
def node() -> Iterator[Predictor]:
    """A process with the packaged model."""
    process = Predictor.start()
    process.load(PACKAGED.read_bytes())
    yield process
    process.stop()


@pytest.fixture(scope="module")
def other() -> Iterator[Predictor]:
    """A process whose model changes from test to test."""
    process = Predictor.start()
    yield process
    process.stop()


def test_it_reads_the_packaged_model(node: Predictor, predictor: TierPredictor) -> None:
    assert node.ask(prompt="x")["decision"]["modelVersion"] == predictor.version


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["id"]) for each in VECTORS])
def test_it_agrees_on_every_vector(vector: dict[str, Any], node: Predictor) -> None:
    assert_agrees(vector, node.ask(prompt=prompt_of(vector)))


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_it_agrees_on_huge_texts(text: str, node: Predictor, predictor: TierPredictor) -> None:
    assert_agrees(told(predictor.explain(text)), node.ask(prompt=text))


AROUND = st.text(max_size=5)
FOLLOW_UPS = st.builds(
    "{}{}{}".format, AROUND, st.one_of(st.from_regex(CLOSING), st.from_regex(ASSENT)), AROUND
)
TAGS = st.lists(
    st.sampled_from(
        [
            *("<system-reminder>", "</system-reminder>", "<SYSTEM_Note a='b'>", "</system_note\u2003>", "𝒳"),
            *("<tool-call\u3000x>", "</TOOL-CALL>", "<\u0130de-context>", "</ide-context>", "<", "x\n"),
            *("</\u017fystem-reminder>", "<reminder>", "</reminder>", "<reminder\x85>", "</reminder"),
        ]
    ),
    max_size=20,
).map("".join)
CHATS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "user", "assistant"]), "content": st.one_of(FOLLOW_UPS, WORDY)}
    ),
    min_size=1,
    max_size=12,
)


def as_sent(prompt: Any) -> Any:
    """The prompt behind JSON, where the halves of a surrogate pair become one character."""
    return json.loads(json.dumps(prompt))


@given(prompt=st.one_of(TEXTS, MESSAGES, CHATS, TAGS, FOLLOW_UPS).map(as_sent))
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
def test_it_agrees_on_any_prompt(prompt: Any, node: Predictor, predictor: TierPredictor) -> None:
    assert_agrees(told(predictor.explain(prompt)), node.ask(prompt=prompt))


def test_it_agrees_under_another_model(small: Model, other: Predictor) -> None:
    assert_agreement(small, other)


def test_it_agrees_under_a_model_that_knows_every_ngram(small: Model, other: Predictor) -> None:
    assert_agreement(all_knowing(small), other)


def test_it_agrees_under_a_model_without_a_head_or_ngrams(small: Model, other: Predictor) -> None:
    empty = replace(small.prompts, words={}, stems={}, pairs={})
    assert_agreement(replace(small, prompts=empty, head=None), other)


def assert_agreement(model: Model, other: Predictor) -> None:
    content = dump_model(model)
    version = parse_model(content, "model").version
    predictor = TierPredictor(model, version)
    assert other.load(content) == {"version": version}
    for prompt in map(prompt_of, VECTORS):
        assert_agrees(told(predictor.explain(prompt)), other.ask(prompt=prompt))


def all_knowing(small: Model) -> Model:
    """A model that weighs whatever stands in the vectors, but for lone surrogates, which no file can hold."""
    texts = [text for prompt in map(prompt_of, VECTORS) for text in judged_texts(read(prompt))]
    found = [part for text in texts for part in small.prompts.features(text)[:2] if isinstance(part, Ngrams)]
    known: list[dict[Any, Row]] = [
        {each: weights(each) for part in found for each in part[kind] if is_storable(each)}
        for kind in range(3)
    ]
    prompts = replace(small.prompts, words=known[0], stems=known[1], pairs=known[2])
    return replace(small, prompts=prompts)


def is_storable(ngram: str | tuple[str, str]) -> bool:
    return "".join(ngram).encode("utf-8", "ignore").decode() == "".join(ngram)


def weights(ngram: str | tuple[str, str]) -> Row:
    """Numbers that are another n-gram's only by accident."""
    number = crc32(" ".join(ngram).encode())
    return 1.0 + number % 89 / 9, number % 97 / 48 - 1, number % 101 / 50 - 1


ODD_PROVENANCE = {
    '"digest":"': {"digest": "0" * 64, "escapes": '\\ " \n \t \x00 \x7f \u2028 é 𝒳', "  ": "a  b"},
    "numbers": [20.0, 1e-7, 1e22, -0.0, 12345678901234567890, 0.1, 1e16],
    "\uffff": 1,
    "𝒳": {"Z": [], "a": {}},
}


def test_the_digest_is_right_whatever_the_provenance_says(small: Model, other: Predictor) -> None:
    assert_agreement(replace(small, provenance=ODD_PROVENANCE), other)


SHARES = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.0625, 0.1875, 0.125, 0.375, 0.0005, 1e-7, 1.0])
USD = st.floats(0.0, 1e9) | st.sampled_from([0.0, 1e-5, 0.000125, 123456.5, 1234567.0])
TIERS = st.sampled_from(list(Tier))
SIMPLE = st.one_of(
    SHARES.map(RiskPolicy),
    st.builds(ExpectedCostPolicy, st.tuples(USD, USD, USD), USD),
    TIERS.map(FixedPolicy),
)


def bounded(policy: Policy, tiers: tuple[Tier, Tier]) -> Policy:
    return BoundedPolicy(policy, min(tiers), max(tiers))


POLICIES: st.SearchStrategy[Policy] = st.one_of(
    SIMPLE,
    st.builds(bounded, SIMPLE, st.tuples(TIERS, TIERS)),
    st.builds(AbstainingPolicy, SIMPLE, TIERS, SHARES, SHARES),
)


@given(policy=POLICIES, prompt=WORDY)
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_it_follows_every_policy_and_words_it_alike(
    policy: Policy, prompt: str, node: Predictor, predictor: TierPredictor
) -> None:
    explanation = predictor.with_policy(policy).explain(as_sent(prompt))
    assert_agrees(told(explanation), node.ask(prompt=prompt, policy=policy.as_dict()))


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"kind": "risky"}, "kind is one of abstaining, bounded, expected_cost, fixed, risk"),
        ({"kind": "toString"}, "unknown policy"),
        ({"kind": "risk"}, "max_risk is undefined, but a share or probability lies in"),
        ({"kind": "risk", "max_risk": 1.5}, "max_risk is 1.5"),
        ({"kind": "fixed", "tier": "medium"}, '"medium" is no tier: use cheap, balanced or premium'),
        ({"kind": "expected_cost", "tier_usd": [1, 2], "poor_answer_usd": 1}, "three prices"),
    ],
)
def test_a_policy_that_makes_no_sense_is_an_error(policy: dict[str, Any], said: str, node: Predictor) -> None:
    answer = node.ask(prompt="x", policy=policy)
    assert answer["error"] == "PolicyError"
    assert said in answer["message"]


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (None, "a prompt is a string or a list of messages, not null"),
        (3, "not number"),
        ({"role": "user"}, "not object"),
        ([], "messages is empty"),
        (["hello"], "message 1: role is undefined, but must be one of assistant, developer, function"),
        ([{"role": "user"}, {"role": "robot"}], 'message 2: role is "robot"'),
        ([{"role": "user", "content": 7}], "message 1: content is number, but must be text or a list of"),
        ([{"role": "user", "content": ["a"]}], "message 1, part 1: no type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "text of a part is undefined"),
    ],
)
def test_what_is_no_prompt_is_an_error(
    prompt: Any, said: str, node: Predictor, predictor: TierPredictor
) -> None:
    answer = node.ask(prompt=prompt)
    assert answer["error"] == "PromptError"
    assert said in answer["message"]
    with pytest.raises(classifier.PromptError, match=r"prompt|message"):
        predictor.decide(prompt)


@pytest.mark.parametrize("name", ["", "file:///etc/hostname", "no-such-place.tierwise"])
def test_what_cannot_be_fetched_is_missing_and_the_error_says_what_to_do(name: str) -> None:
    code = (
        "import { TierPredictor } from './tierwise.js';"
        f"await TierPredictor.load({name!r}).catch((error) => console.log(error.name, error.message));"
    )
    command = [str(NODE), "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout.startswith("ModelFileMissing")
    assert "await readFile(path)" in done.stdout


def test_any_prefix_of_a_model_file_is_damaged(small: Model, other: Predictor) -> None:
    content = dump_model(small)
    for end in range(0, len(content), 7):
        assert other.load(content[:end])["error"] == "ModelFileDamaged"


@given(place=st.integers(0), bits=st.integers(1, 255))
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
def test_an_altered_byte_is_noticed_or_without_effect(
    place: int, bits: int, small: Model, other: Predictor
) -> None:
    content = bytearray(dump_model(small))
    content[place % len(content)] ^= bits
    answer = other.load(bytes(content))
    whole = {"version": parse_model(dump_model(small), "small").version}
    assert answer == whole or answer["error"] in ("ModelFileDamaged", "ModelFileUnsupported")


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(contents: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_manifest(small: Model, **changes: Any) -> bytes:
    inside = members(dump_model(small))
    manifest = json.loads(inside["manifest.json"]) | changes
    return zipped(inside | {"manifest.json": json.dumps(manifest).encode()})


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"format": 2}, "ModelFileUnsupported", "has format 2, this version reads 1: upgrade tierwise"),
        ({"format": 0}, "ModelFileUnsupported", "train it anew"),
        ({"tiers": ["a", "b"]}, "ModelFileUnsupported", "train it anew"),
        ({"policy": {"kind": "x"}}, "ModelFileDamaged", "the manifest was altered"),
        ({"members": {}}, "ModelFileDamaged", "the manifest was altered"),
    ],
)
def test_another_manifest_is_refused(
    changes: dict[str, Any], error: str, said: str, small: Model, other: Predictor
) -> None:
    answer = other.load(with_manifest(small, **changes))
    assert answer["error"] == error
    assert said in answer["message"]


def test_members_may_be_stored_and_no_other_packing_is_known(small: Model, other: Predictor) -> None:
    inside = members(dump_model(small))
    assert "version" in other.load(zipped(inside, zipfile.ZIP_STORED))
    assert "packed in a way" in other.load(zipped(inside, zipfile.ZIP_BZIP2))["message"]


def test_a_member_that_claims_too_much_is_never_unpacked(small: Model, other: Predictor) -> None:
    bomb = zipped(members(dump_model(small)) | {"weights.f64": bytes(257 * 2**20)})
    assert "more than any model needs" in other.load(bomb)["message"]


def test_a_member_that_claims_too_little_is_left_as_soon_as_it_shows(small: Model, other: Predictor) -> None:
    liar = bytearray(zipped(members(dump_model(small)) | {"weights.f64": bytes(50 * 2**20)}))
    entry = liar.rfind(b"weights.f64") - 46  # in the directory at the end
    liar[entry + 24 : entry + 28] = (1_000).to_bytes(4, "little")
    assert "more than 1000 bytes" in other.load(bytes(liar))["message"]


SWEEP = """
import { readFileSync } from "node:fs";
const source = readFileSync("tierwise.js", "utf8").replace(/^export /gm, "");
const { lower, lowerComposed, isBlank, wordAlone } = new Function(
  source + "; const wordAlone = asPythonReads('^\\\\\\\\w$');" +
  "return { lower, lowerComposed, isBlank, wordAlone };")();
const hex = (text) => Array.from(text, (each) => each.codePointAt(0).toString(16)).join(" ");
const line = (code) => {
  const one = String.fromCodePoint(code);
  const [below, sigma] = ["e" + one + "\\u0323", "a" + one + "\\u03a3"];
  const parts = [lower(one), lowerComposed(one), lowerComposed(below), lower(sigma)];
  return [...parts.map(hex), isBlank(one), wordAlone.test(one)].join("|");
};
console.log(JSON.parse(readFileSync(0, "utf8")).map(line).join("\\n"));
"""
SWEPT = [
    *range(0x20000),
    *range(0x20000, 0x110000, 61),
]  # behind the first two planes nothing but large blocks
RECLASSIFIED = {0x295, 0x1171E}  # Unicode 15 and 16 changed what they do to a capital sigma beside them


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="its tables are those of Unicode 14")
def test_code_points_are_the_same_to_both() -> None:
    done = subprocess.run(  # noqa: S603
        [str(NODE), "--input-type=module", "--eval", SWEEP],
        input=json.dumps(SWEPT),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    pairs = zip(SWEPT, done.stdout.splitlines(), strict=True)
    assert {code for code, line in pairs if line != as_python_reads(chr(code))} <= RECLASSIFIED


def as_python_reads(one: str) -> str:
    def composed(text: str) -> str:
        return unicodedata.normalize("NFC", text.lower())

    parts = [one.lower(), composed(one), composed(f"e{one}\u0323"), f"a{one}\u03a3".lower()]
    codes = [" ".join(f"{ord(each):x}" for each in part) for part in parts]
    return "|".join([*codes, str(one.isspace()).lower(), str(one.isalnum() or one == "_").lower()])


def test_its_package_has_the_version_of_ours() -> None:
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert (package["name"], package["version"]) == (project["name"], project["version"])
    assert "dependencies" not in package
    assert math.isclose(float(package["engines"]["node"].removeprefix(">=")), 20)
