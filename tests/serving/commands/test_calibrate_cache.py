"""`calibrate-cache` as its user sees it, before the sandbox's embeddings."""

import json
from pathlib import Path

import httpx2
import pytest

from serving.cli import main
from serving.embedder import Embedder
from serving.errors import ServingError

PAIRS = [
    ("How do I bake bread?", "Please tell me how do I bake bread?", True),
    ("How do I bake bread?", "How do I not bake bread?", False),
    ("Recipe for 2 people", "Recipe for two people", True),
    ("Recipe for 2 people", "Recipe for 3 people", False),
]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [
        {"a": one, "b": other, "same": same, "kind": "k", "part": part, "subject": one}
        for part in ("calibration", "held_out")
        for one, other, same in PAIRS
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_it_prints_a_threshold_what_it_comes_to_and_what_to_configure(
    pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate-cache", "--sandbox", "--pairs", f"{pairs}"]) == 0
    said = capsys.readouterr().out
    assert "the same: hits             2 of 2 (100.0%)" in said
    assert "look-alikes: false hits    0 of 2 (0.0%)" in said
    assert 'embedding_model = "hashed-words"\nthreshold = 0.' in said


def test_it_prints_json(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate-cache", "--sandbox", "--json", "--pairs", f"{pairs}"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dimensions"] == 256
    assert told["calibration"]["false_hits"] == {"hits": 0, "pairs": 2}
    assert told["calibration"]["false_hits_at_most"] == pytest.approx(1 - 0.05**0.5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "name the model with --embedding-model"),
        (["--embedding-model", "m"], "GLOBAL_API_KEY is not set"),
        (["--pairs", "/nowhere.jsonl"], "cannot be read"),
    ],
    ids=["no model", "no key", "no pairs"],
)
def test_what_is_missing_is_told_in_one_line(
    pairs: Path,
    given: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GLOBAL_API_KEY", raising=False)
    assert main(["calibrate-cache", "--pairs", f"{pairs}", *given]) == 1
    error = capsys.readouterr().err.strip()
    assert words in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx2.Response(401), "status 401"),
        (httpx2.Response(200, text="no"), "no embeddings of m"),
        (httpx2.Response(200, json={"data": []}), "1 texts were sent, and 0 embeddings came back"),
    ],
    ids=["401", "no JSON", "none"],
)
def test_an_endpoint_that_goes_wrong_is_told_in_one_line(answer: httpx2.Response, words: str) -> None:
    transport = httpx2.MockTransport(lambda _: answer)
    with pytest.raises(ServingError, match=words):
        Embedder("http://localhost/v1", {}, "m", None, transport).embed(["a", "a"], lambda _: None)
