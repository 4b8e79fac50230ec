"""The model file: one zip, no pickle, nothing in it is ever executed.

| member | what it holds |
|---|---|
| `manifest.json` | format number, tier order, settings, small weights, policy, where the model comes from |
| `vocabulary.txt` | UTF-8, one n-gram a line: tokens, then stems, then pairs of tokens joined by a space |
| `weights.f64` | little-endian float64, three numbers for each n-gram, in the vocabulary's order |

The manifest lists length and SHA-256 of the other members and carries a digest of itself, so a file that was
cut short or altered is noticed; it is a check against accidents, not a signature. `FORMAT` grows whenever an
older reader would misread the file; a reader refuses every number but its own.

Members bear no time stamps: the same model gives the same bytes.
"""

import hashlib
import io
import json
import zipfile
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from pathlib import Path
from sys import byteorder
from typing import Any

from classifier.atomic_file import write_whole
from classifier.contribution import Contrast
from classifier.conversation import ROLES, ConversationHead, Matrix, RoleWeight
from classifier.errors import (
    ModelFileDamaged,
    ModelFileMissing,
    ModelFileNotWritten,
    ModelFileUnsupported,
)
from classifier.features import Excerpt
from classifier.policies import Policy, policy_from_dict
from classifier.prompt_model import PromptModel, Row, StatisticWeight
from classifier.statistic import COUNTS, STATISTICS
from classifier.tier import TIERS

__all__ = ["FORMAT", "Model", "ModelFile", "dump_model", "parse_model", "read_model", "write_model"]

FORMAT = 1
_MEMBERS = ("vocabulary.txt", "weights.f64")
_LARGEST_MEMBER = 256 * 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Model:
    """All that a model file holds.

    Attributes:
        prompts: the compiled model of one text.
        head: the conversation head, or None where the training data held too few conversations.
        policy: the policy that decisions follow unless another is given.
        provenance: JSON-able facts: training data digest, metrics, what the policy was chosen for, versions.
    """

    prompts: PromptModel
    head: ConversationHead | None
    policy: Policy
    provenance: Mapping[str, Any]

    def with_policy(self, policy: Policy) -> "Model":
        """Return the same model under another policy."""
        return replace(self, policy=policy)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as read from bytes, with the SHA-256 of its manifest in hexadecimal digits."""

    model: Model
    digest: str

    @property
    def version(self) -> str:
        """The first twelve digits of the digest."""
        return self.digest[:12]


def write_model(model: Model, path: Path) -> None:
    """Write the model file, whole or not at all.

    Raises:
        ModelFileNotWritten: if it could not be written; what stood there before is untouched.
    """
    try:
        write_whole(path, dump_model(model))
    except OSError as error:
        reason = error.strerror or error
        raise ModelFileNotWritten(f"{path}: could not write the model file: {reason}") from error


def dump_model(model: Model) -> bytes:
    """Return the bytes of the model file; equal models give equal bytes."""
    prompts = model.prompts
    lines = [*prompts.words, *prompts.stems, *map(" ".join, prompts.pairs)]
    rows = [*prompts.words.values(), *prompts.stems.values(), *prompts.pairs.values()]
    weights = array("d", (number for row in rows for number in row))
    if byteorder == "big":
        weights.byteswap()
    contents = {"vocabulary.txt": "\n".join(lines).encode(), "weights.f64": weights.tobytes()}
    manifest = {
        "format": FORMAT,
        "tiers": [tier.label for tier in TIERS],
        "prompt_model": {
            "excerpt": prompts.excerpt._asdict(),
            "intercept": prompts.intercept,
            "statistics": [weight._asdict() for weight in prompts.statistics],
            "words": len(prompts.words),
            "stems": len(prompts.stems),
            "pairs": len(prompts.pairs),
        },
        "conversation_head": _head_as_dict(model.head),
        "policy": model.policy.as_dict(),
        "provenance": model.provenance,
        "members": {name: _fingerprint(content) for name, content in contents.items()},
    }
    manifest["digest"] = _digest(manifest)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    return _zip({"manifest.json": text.encode()} | contents)


def read_model(path: Path) -> ModelFile:
    """Read a model file.

    Raises:
        ModelFileMissing: if there is no such file, or it cannot be read.
        ModelFileDamaged: if it is not a whole model file.
        ModelFileUnsupported: if another version of Tierwise wrote it.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise ModelFileMissing(f"{path}: cannot read a model file here: {reason}") from error
    return parse_model(content, str(path))


def parse_model(content: bytes, name: str) -> ModelFile:
    """Return the model that these bytes hold; `name` is how errors call the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = json.loads(_member(archive, "manifest.json"))
            _check_format(manifest)
            members = {member: _member(archive, member) for member in _MEMBERS}
        _check_fingerprints(manifest, members)
        return ModelFile(_model(manifest, members), manifest["digest"])
    except ModelFileUnsupported as error:
        raise ModelFileUnsupported(f"{name}: {error}") from error
    except _DAMAGE as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelFileDamaged(
            f"{name}: not a whole model file ({reason}); train or fetch it anew"
        ) from error


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    TypeError,
    ValueError,  # covers broken JSON and broken UTF-8
    AttributeError,
    RecursionError,
    NotImplementedError,  # an encrypted member, or a compression that nobody here uses
    RuntimeError,
)


def _zip(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    if entry.file_size > _LARGEST_MEMBER:
        raise ValueError(f"{name} claims {entry.file_size} bytes, more than any model needs")
    return archive.read(entry)


def _check_format(manifest: Any) -> None:
    number = manifest["format"]
    if number != FORMAT:
        remedy = "upgrade tierwise" if isinstance(number, int) and number > FORMAT else "train it anew"
        raise ModelFileUnsupported(
            f"the model file has format {number!r}, this version reads {FORMAT}: {remedy}"
        )
    tiers = manifest["tiers"]
    if tiers != [tier.label for tier in TIERS]:
        raise ModelFileUnsupported(
            f"made for the tiers {tiers!r}, this version knows {list(map(str, TIERS))}: train it anew"
        )


def _check_fingerprints(manifest: dict[str, Any], members: Mapping[str, bytes]) -> None:
    if manifest["digest"] != _digest({key: value for key, value in manifest.items() if key != "digest"}):
        raise ValueError("the manifest was altered")
    for name, content in members.items():
        if manifest["members"][name] != _fingerprint(content):
            raise ValueError(f"{name} was altered")


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _digest(manifest: Mapping[str, Any]) -> str:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _model(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> Model:
    settings = manifest["prompt_model"]
    words, stems, pairs = _vocabulary(settings, members)
    prompts = PromptModel(
        excerpt=_excerpt(settings["excerpt"]),
        intercept=_contrast(settings["intercept"]),
        statistics=_weights(settings["statistics"], [statistic.name for statistic in STATISTICS]),
        words=words,
        stems=stems,
        pairs=pairs,
    )
    head = manifest["conversation_head"]
    provenance = manifest["provenance"]
    if not isinstance(provenance, dict):
        raise ValueError(f"the provenance is {provenance!r}")
    return Model(prompts, _head(head), policy_from_dict(manifest["policy"]), provenance)


def _vocabulary(
    settings: Mapping[str, Any], members: Mapping[str, bytes]
) -> tuple[dict[str, Row], dict[str, Row], dict[tuple[str, str], Row]]:
    rows = _rows(members["weights.f64"])
    lines = members["vocabulary.txt"].decode().split("\n") if rows else []
    counts = [settings["words"], settings["stems"], settings["pairs"]]
    if min(counts) < 0 or not len(rows) == len(lines) == sum(counts):
        raise ValueError(f"{counts} n-grams promised, {len(lines)} listed, {len(rows)} rows of weights")
    entries = zip(lines, rows, strict=True)
    words, stems = dict(islice(entries, counts[0])), dict(islice(entries, counts[1]))
    pairs = {(first, second): row for line, row in entries for first, second in [line.split(" ")]}
    if [len(words), len(stems), len(pairs)] != counts:
        raise ValueError("an n-gram stands twice")
    return words, stems, pairs


def _rows(content: bytes) -> list[Row]:
    weights = array("d")
    weights.frombytes(content)
    if byteorder == "big":
        weights.byteswap()
    if not isfinite(sum(weights)) or min(weights[::3], default=1.0) <= 0:
        raise ValueError("a weight is out of range")
    numbers = iter(weights)
    return list(zip(numbers, numbers, numbers, strict=True))


def _head_as_dict(head: ConversationHead | None) -> dict[str, Any] | None:
    if head is None:
        return None
    return {
        "intercept": head.intercept,
        "roles": [{"role": weight.role, "matrix": weight.matrix} for weight in head.roles],
        "counts": [weight._asdict() for weight in head.counts],
    }


def _head(mapping: Mapping[str, Any] | None) -> ConversationHead | None:
    if mapping is None:
        return None
    roles = tuple(RoleWeight(entry["role"], Matrix(*entry["matrix"])) for entry in mapping["roles"])
    if tuple(weight.role for weight in roles) != ROLES:
        raise ModelFileUnsupported("the model file weighs other turns than this version does: train it anew")
    for weight in roles:
        _finite(*weight.matrix)
    counts = _weights(mapping["counts"], [count.name for count in COUNTS])
    return ConversationHead(_contrast(mapping["intercept"]), roles, counts)


def _weights(entries: list[dict[str, Any]], names: list[str]) -> tuple[StatisticWeight, ...]:
    weights = tuple(StatisticWeight(**entry) for entry in entries)
    if [weight.name for weight in weights] != names:
        raise ModelFileUnsupported("the model file weighs other statistics than this version: train it anew")
    for weight in weights:
        _finite(*weight[1:])
        if weight.scale <= 0:
            raise ValueError(f"the scale of {weight.name} is {weight.scale}")
    return weights


def _contrast(pair: list[float]) -> Contrast:
    balanced, premium = pair
    _finite(balanced, premium)
    return Contrast(balanced, premium)


def _excerpt(mapping: Mapping[str, Any]) -> Excerpt:
    excerpt = Excerpt(**mapping)
    if not (
        isinstance(excerpt.window, int)
        and excerpt.window > 0
        and excerpt.ask > 0 < excerpt.middle_weight <= 1
    ):
        raise ValueError(f"{excerpt} cannot be read by")
    return excerpt


def _finite(*numbers: float) -> None:
    if not all(map(isfinite, numbers)):
        raise ValueError("a weight is not a finite number")
