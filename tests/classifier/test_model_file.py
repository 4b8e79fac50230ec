import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import (
    BoundedPolicy,
    ExpectedCostPolicy,
    FixedPolicy,
    ModelFileDamaged,
    ModelFileError,
    ModelFileMissing,
    ModelFileNotWritten,
    ModelFileUnsupported,
    Policy,
    RiskPolicy,
    Tier,
    TierPredictor,
)
from classifier.model_file import FORMAT, Model, dump_model, parse_model, read_model, write_model
from tests.classifier.small_model import small_model

WHOLE = dump_model(small_model())
Members = dict[str, bytes]
Change = Callable[[dict[str, Any]], object]


def members_of(content: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def signed(manifest: dict[str, Any], members: Members) -> bytes:
    """A file whose digest is right, whatever else is wrong with it."""
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    manifest["digest"] = hashlib.sha256(canonical.encode()).hexdigest()
    return zipped({**members, "manifest.json": json.dumps(manifest).encode()})


def changed(member: str, content: bytes) -> bytes:
    """The small model with another member, signed again."""
    members = members_of(WHOLE) | {member: content}
    manifest = json.loads(members["manifest.json"])
    manifest["members"][member] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return signed(manifest, members)


def forged(change: Change) -> bytes:
    """The small model with a changed manifest, signed again."""
    members = members_of(WHOLE)
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    return signed(manifest, members)


def with_weights(change: Callable[[list[float]], object]) -> bytes:
    """The small model with changed weights, signed again."""
    numbers = [number for (number,) in struct.iter_unpack("<d", members_of(WHOLE)["weights.f64"])]
    change(numbers)
    return changed("weights.f64", struct.pack(f"<{len(numbers)}d", *numbers))


def with_vocabulary(change: Callable[[list[str]], object]) -> bytes:
    """The small model with a changed vocabulary, signed again."""
    lines = members_of(WHOLE)["vocabulary.txt"].decode().split("\n")
    change(lines)
    return changed("vocabulary.txt", "\n".join(lines).encode())


# --- writing and reading


def test_what_was_written_is_read_back_and_written_the_same_again(small: Model, small_file: Path) -> None:
    read = read_model(small_file)
    assert read.model == small
    assert dump_model(read.model) == small_file.read_bytes() == WHOLE
    assert read.version == read.digest[:12]


def test_the_packaged_model_is_read_back_and_written_the_same_again(predictor: TierPredictor) -> None:
    again = parse_model(dump_model(predictor.model), "again")
    assert again.model == predictor.model
    assert again.version == predictor.version


POLICIES = [
    RiskPolicy(1 / 3),
    ExpectedCostPolicy((0.1, 0.2, 0.3), 4.0),
    FixedPolicy(Tier.BALANCED),
    BoundedPolicy(RiskPolicy(0.1), Tier.BALANCED, Tier.BALANCED),
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_every_policy_and_what_is_told_of_the_origin_are_kept(small: Model, policy: Policy) -> None:
    facts = {"metrics": {"accuracy": 0.75}, "made by": "Ærøskøbing 🚲", "none": None}
    model = replace(small, policy=policy, provenance=facts, head=None)
    assert parse_model(dump_model(model), "x").model == model


def test_a_model_without_a_single_ngram_is_a_model_too(small: Model) -> None:
    prompts = replace(small.prompts, words={}, stems={}, pairs={})
    assert parse_model(dump_model(replace(small, prompts=prompts)), "x").model.prompts == prompts


def test_the_version_follows_the_content_alone(small: Model) -> None:
    version = parse_model(WHOLE, "one").version
    assert parse_model(dump_model(small_model()), "other name").version == version
    assert parse_model(dump_model(small.with_policy(RiskPolicy(0.26))), "one").version != version


def test_the_same_model_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import sys; from tests.classifier.small_model import small_model;"
        "from classifier.model_file import dump_model; sys.stdout.buffer.write(dump_model(small_model()))"
    )
    written = [
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert written == [WHOLE, WHOLE]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=2))
def test_every_bit_of_a_weight_is_kept(pair: list[float]) -> None:
    model = small_model()
    words = {**model.prompts.words, "third": (1 / 3, pair[0] / 3, pair[1] / 3)}
    changed = replace(model, prompts=replace(model.prompts, words=words))
    assert parse_model(dump_model(changed), "x").model == changed


# --- damage


def check_damaged(content: bytes) -> None:
    with pytest.raises(ModelFileDamaged, match=r"^some/file: not a whole model file") as caught:
        parse_model(content, "some/file")
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).endswith("train or fetch it anew")


@pytest.mark.parametrize("share", [step / 40 for step in range(40)], ids=lambda share: f"{share:.3f}")
def test_a_file_that_was_cut_short_is_damaged(share: float) -> None:
    check_damaged(WHOLE[: int(len(WHOLE) * share)])
    check_damaged(WHOLE[int(len(WHOLE) * share) + 1 :])


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed_or_harmless(place: int, flip: int) -> None:
    content = WHOLE[:place] + bytes([WHOLE[place] ^ flip]) + WHOLE[place + 1 :]
    try:
        model = parse_model(content, "x").model  # a time stamp or an attribute of a member
    except ModelFileError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017  either outcome is right
    else:
        assert model == small_model()


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)), max_size=6))
def test_no_amount_of_damage_gives_another_error(patches: list[tuple[int, bytes]]) -> None:
    content = bytearray(WHOLE)
    for place, patch in patches:
        content[place : place + len(patch)] = patch
    try:
        model = parse_model(bytes(content), "x").model
    except ModelFileError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017  either outcome is right
    else:
        assert model == small_model()


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_no_model(content: bytes) -> None:
    check_damaged(content)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
SPOTS: list[tuple[str | int, ...]] = [
    ("digest",),
    ("members",),
    ("members", "weights.f64"),
    ("prompt_model",),
    ("prompt_model", "excerpt"),
    ("prompt_model", "excerpt", "window"),
    ("prompt_model", "excerpt", "ask"),
    ("prompt_model", "excerpt", "middle_weight"),
    ("prompt_model", "intercept"),
    ("prompt_model", "intercept", 0),
    ("prompt_model", "statistics"),
    ("prompt_model", "statistics", 0),
    ("prompt_model", "statistics", 0, "scale"),
    ("prompt_model", "words"),
    ("conversation_head",),
    ("conversation_head", "intercept"),
    ("conversation_head", "roles", 0, "matrix"),
    ("conversation_head", "roles", 0, "matrix", 0),
    ("conversation_head", "counts", 0),
    ("policy",),
    ("policy", "max_risk"),
    ("provenance",),
    ("format",),
    ("tiers",),
]


def put(value: object, spot: tuple[str | int, ...]) -> Change:
    def change(manifest: dict[str, Any]) -> None:
        inner: Any = manifest
        for key in spot[:-1]:
            inner = inner[key]
        inner[spot[-1]] = value

    return change


def remove(*spot: str) -> Change:
    def change(manifest: dict[str, Any]) -> None:
        inner: Any = manifest
        for key in spot[:-1]:
            inner = inner[key]
        del inner[spot[-1]]

    return change


@settings(max_examples=300)
@given(st.sampled_from(SPOTS), JSON)
def test_anything_at_all_in_a_manifest_gives_a_predictor_or_one_clear_error(
    spot: tuple[str | int, ...], value: object
) -> None:
    content = forged(put(value, spot))
    try:
        file = parse_model(content, "x")
    except ModelFileError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017  either outcome is right
    else:
        predictor = TierPredictor(file.model, file.version)
        decision = predictor.explain([{"role": "user", "content": "prove that"}] * 2).decision
        assert sum(decision.probabilities) == pytest.approx(1.0)
        assert isinstance(predictor.provenance, dict)


NAN, INFINITY = float("nan"), float("inf")
INFINITIES = [INFINITY, -INFINITY]
FORGERIES = {
    "a NaN weight": with_weights(lambda numbers: numbers.__setitem__(1, NAN)),
    "an infinite weight": with_weights(lambda numbers: numbers.__setitem__(2, -INFINITY)),
    "infinities that cancel": with_weights(
        lambda numbers: numbers.__setitem__(slice(1, 3), [INFINITY, -INFINITY])
    ),
    "an idf of zero": with_weights(lambda numbers: numbers.__setitem__(0, 0.0)),
    "a negative square": with_weights(lambda numbers: numbers.__setitem__(3, -1.0)),
    "a weight too few": with_weights(lambda numbers: numbers.pop()),
    "a row too few": with_weights(lambda numbers: numbers.__delitem__(slice(0, 3))),
    "a row too many": with_weights(lambda numbers: numbers.extend([1.0, 1.0, 1.0])),
    "no weights": with_weights(list.clear),
    "the same word twice": with_vocabulary(lambda lines: lines.__setitem__(1, lines[0])),
    "the same pair twice": with_vocabulary(lambda lines: lines.__setitem__(-1, lines[-2])),
    "a pair of one": with_vocabulary(lambda lines: lines.__setitem__(-1, "alone")),
    "a pair of three": with_vocabulary(lambda lines: lines.__setitem__(-1, "one two three")),
    "an n-gram too few": with_vocabulary(list.pop),
    "other counts": forged(put(3, ("prompt_model", "words"))),
    "counts that cancel": forged(lambda m: m["prompt_model"].update(words=-1, stems=12)),
    "a fractional count": forged(lambda m: m["prompt_model"].update(words=5.5, stems=1.5)),
    "no counts": forged(remove("prompt_model", "words")),
    "no policy": forged(remove("policy")),
    "an unknown policy": forged(put({"kind": "magic"}, ("policy",))),
    "an impossible policy": forged(put(2, ("policy", "max_risk"))),
    "a scale of zero": forged(put(0.0, ("prompt_model", "statistics", 0, "scale"))),
    "a NaN scale": forged(put(NAN, ("prompt_model", "statistics", 0, "scale"))),
    "a NaN intercept": forged(put([NAN, 0.0], ("prompt_model", "intercept"))),
    "an intercept of three": forged(put([0.0, 0.0, 0.0], ("prompt_model", "intercept"))),
    "an intercept of words": forged(put(["0", "1"], ("prompt_model", "intercept"))),
    "a window of nothing": forged(put(0, ("prompt_model", "excerpt", "window"))),
    "a fractional window": forged(put(1.5, ("prompt_model", "excerpt", "window"))),
    "a NaN matrix": forged(put([NAN, 0.0, 0.0, 0.0], ("conversation_head", "roles", 0, "matrix"))),
    "a list for a manifest": zipped({"manifest.json": b"[]"}),
    "a manifest of nothing": zipped({"manifest.json": b""}),
    "a deep manifest": zipped({"manifest.json": b"[" * 100_000}),
    "a manifest in no UTF-8": zipped({"manifest.json": b'{"format": "\xff"}'}),
    "no manifest": zipped({"vocabulary.txt": b"", "weights.f64": b""}),
    "an empty archive": zipped({}),
    "a missing member": zipped({k: v for k, v in members_of(WHOLE).items() if k != "weights.f64"}),
    "an altered member": zipped(members_of(WHOLE) | {"vocabulary.txt": b"other"}),
    "an altered digest": zipped(
        members_of(WHOLE)
        | {"manifest.json": members_of(WHOLE)["manifest.json"].replace(b'"digest": "', b'"digest": "0')}
    ),
    "text": b"This is no model file.\n",
    "nothing": b"",
    "a pickle": b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
}


@pytest.mark.parametrize("content", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_file_that_no_version_wrote_is_damaged(content: bytes) -> None:
    check_damaged(content)


def test_a_member_that_claims_to_be_giant_is_not_unpacked() -> None:
    content = zipped(members_of(WHOLE) | {"weights.f64": bytes(300 * 2**20)})
    assert len(content) < 2**20
    with pytest.raises(ModelFileDamaged, match="more than any model needs"):
        parse_model(content, "x")


def test_a_member_that_hides_its_size_is_not_unpacked_further_than_it_claims() -> None:
    content = bytearray(zipped(members_of(WHOLE) | {"weights.f64": bytes(50 * 2**20)}))
    true, claimed = struct.pack("<L", 50 * 2**20), struct.pack("<L", 240)
    check_damaged(bytes(content).replace(true, claimed))


def test_members_that_nobody_asked_for_are_never_opened(tmp_path: Path) -> None:
    extra = {"../outside": b"x", "payload.pkl": b"cos\nsystem\n(S'touch pwned'\ntR."}
    assert parse_model(zipped(members_of(WHOLE) | extra), "x").model == small_model()
    assert list(tmp_path.iterdir()) == []


def test_reading_a_model_imports_nothing_that_could_execute_it() -> None:
    code = (
        "import sys; from classifier import TierPredictor; TierPredictor.default();"
        "print(sorted({'pickle', '_pickle', 'marshal.loads', 'joblib', 'numpy'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert ended.stdout == "[]\n"


# --- other versions


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (FORMAT + 1, "upgrade tierwise"),
        (FORMAT + 90, "upgrade tierwise"),
        (0, "train it anew"),
        ("1", "train it anew"),
    ],
    ids=repr,
)
def test_another_format_is_refused_with_what_to_do(number: object, remedy: str) -> None:
    problem = rf"^old: .*format {number!r}, this version reads {FORMAT}: {remedy}$"
    with pytest.raises(ModelFileUnsupported, match=problem):
        parse_model(forged(put(number, ("format",))), "old")


def test_the_format_is_looked_at_first_since_a_later_one_may_hold_anything() -> None:
    later = zipped({"manifest.json": json.dumps({"format": FORMAT + 1}).encode()})
    with pytest.raises(ModelFileUnsupported, match="upgrade tierwise"):
        parse_model(later, "later")


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["prompt_model"]["statistics"].reverse(),
        lambda manifest: manifest["prompt_model"]["statistics"].pop(),
        lambda manifest: manifest["conversation_head"]["roles"].reverse(),
        lambda manifest: manifest["conversation_head"]["counts"].pop(),
    ],
    ids=["statistics in another order", "fewer statistics", "roles in another order", "fewer counts"],
)
def test_a_model_of_other_features_is_refused_with_what_to_do(change: Change) -> None:
    with pytest.raises(ModelFileUnsupported, match=r"^old: .* than this version.*: train it anew$"):
        parse_model(forged(change), "old")


def test_other_tiers_are_refused() -> None:
    content = forged(put(["small", "large"], ("tiers",)))
    with pytest.raises(ModelFileUnsupported, match=r"made for the tiers \['small', 'large'\]"):
        parse_model(content, "other")


# --- files


def test_no_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match=r"nothing.tierwise: cannot read .*: No such file"):
        read_model(tmp_path / "nothing.tierwise")


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match="cannot read a model file here: Is a directory"):
        read_model(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_missing(small_file: Path) -> None:
    small_file.chmod(0)
    with pytest.raises(ModelFileMissing, match="Permission denied"):
        read_model(small_file)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000], ids=["null character", "too long"])
def test_a_name_that_no_file_can_have_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileMissing, match="cannot read a model file here"):
        read_model(tmp_path / name)


def test_damage_is_told_with_the_name_of_the_file(small_file: Path) -> None:
    small_file.write_bytes(WHOLE[:100])
    with pytest.raises(ModelFileDamaged, match=r"small\.tierwise: not a whole model file"):
        TierPredictor.load(small_file)


def test_a_model_that_cannot_be_written_says_why(small: Model, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.tierwise"
    with pytest.raises(ModelFileNotWritten, match=r"x.tierwise: could not write .*: No such file"):
        write_model(small, path)


FILLS_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from classifier import ModelFileNotWritten
from classifier.model_file import write_model
from tests.classifier.small_model import small_model
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    write_model(small_model(), Path(sys.argv[1]))
except ModelFileNotWritten as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_model_in_place(small_file: Path) -> None:
    command = [sys.executable, "-c", FILLS_THE_DISK, str(small_file)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert ended.stdout == f"{small_file}: could not write the model file: File too large\n"
    assert small_file.read_bytes() == WHOLE
    assert list(small_file.parent.iterdir()) == [small_file]
