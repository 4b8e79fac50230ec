"""The log that serving exports, and that training reads: they meet in the file."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from serving.cli import main
from serving.spending.ledger_row import ChosenBy, LedgerRow
from serving.state import State, Thumb
from serving.state.migrate import migrate
from tests.serving.spending.logged import an_attempt
from training.cli import main as training
from training.feedback_rows import read_feedback

PREMIUM = {"tier": "premium", "model": "Pro/deepseek-ai/DeepSeek-V3.2"}


def asked(number: int, about: str, **changes: Any) -> LedgerRow:
    prompt = json.dumps([{"role": "user", "content": f"What is {about}?"}])
    return an_attempt(
        number, **{"prompt": prompt, "session": "s1", "probabilities": (0.6, 0.3, 0.1)} | changes
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A thumb down, an escalation, a retry, a thumb up, a row without a prompt, and a thumb for nobody."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    rows = [
        asked(0, "a monad"),
        asked(10, "a functor"),
        asked(20, "a functor", **PREMIUM, chosen_by=ChosenBy.CALLER, requested="premium"),
        asked(30, "a group"),
        asked(40, "a group"),
        asked(50, "lone \ud800"),
        asked(60, "nothing", prompt=None),
    ]
    with State.open(url) as state:
        state.ledger.append(rows)
        state.feedback.add("r0", Thumb.DOWN, 1_795_305_700.0)
        state.feedback.add("r20", Thumb.UP, 1_795_305_700.0)
        state.feedback.add("r40", Thumb.UP, 1_795_400_000.0)
        state.feedback.add("r77", Thumb.UP, 1_795_305_700.0)
    return url


def refuse(problem: Exception) -> None:
    raise AssertionError(f"training refuses a row: {problem}")


def test_training_reads_every_row_and_understands_the_signs(url: str, tmp_path: Path) -> None:
    out = tmp_path / "feedback.jsonl"
    assert main(["export-feedback", "--state", url, "--out", str(out)]) == 0
    rows = {row.request_id: row for row in read_feedback(out, refuse)}
    assert list(rows) == ["r0", "r10", "r20", "r30", "r40", "r50"]
    assert rows["r0"].thumb == -1
    assert rows["r10"].escalated_to is rows["r20"].tier
    assert (rows["r20"].thumb, rows["r20"].chosen_by) == (1, "caller")
    assert rows["r30"].retried
    assert not rows["r40"].retried
    assert rows["r50"].is_silent
    assert rows["r0"].probabilities == pytest.approx((0.6, 0.3, 0.1))


def test_training_reads_what_callers_told(url: str, tmp_path: Path) -> None:
    with State.open(url) as state:
        state.feedback.add("r0", None, 1_795_305_800.0, escalated_to="balanced")
        state.feedback.add("r40", None, 1_795_400_000.0, retried=True)
    out = tmp_path / "feedback.jsonl"
    assert main(["export-feedback", "--state", url, "--thumbs-only", "--out", str(out)]) == 0
    rows = {row.request_id: row for row in read_feedback(out, refuse)}
    assert (rows["r0"].thumb, f"{rows['r0'].escalated_to}") == (-1, "balanced")
    assert (rows["r40"].thumb, rows["r40"].retried) == (1, True)
    assert not rows["r30"].retried


def test_training_makes_labels_of_it(url: str, tmp_path: Path) -> None:
    out, labels = tmp_path / "feedback.jsonl", tmp_path / "labels.jsonl"
    assert main(["export-feedback", "--state", url, "--out", str(out)]) == 0
    assert training(["feedback", str(out), "--out", str(labels)]) == 0
    tiers = [json.loads(line)["tier"] for line in labels.read_text().splitlines()]
    assert tiers[0] != "cheap"
    assert len(tiers) == 3


def test_it_says_what_is_not_in_the_log(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-feedback", "--state", url, "--out", str(tmp_path / "feedback.jsonl")]) == 0
    out = capsys.readouterr().out
    assert "6 rows" in out
    assert "3 thumb, 1 retried, 1 escalated to, 1 silent" in out
    assert "1 request without a prompt in the ledger" in out
    assert "feedback on 1 request not in the log" in out


def test_thumbs_alone_can_be_asked_for_as_json(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "feedback.jsonl"
    assert main(["export-feedback", "--state", url, "--thumbs-only", "--json", "--out", str(out)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["signs"] == {"thumb": 3, "silent": 3}
    assert facts["left_out"] == {"without a prompt in the ledger": 1}
    assert facts["feedback_without_a_row"] == 1


def test_only_the_owner_may_read_the_prompts(url: str, tmp_path: Path) -> None:
    out = tmp_path / "feedback.jsonl"
    assert main(["export-feedback", "--state", url, "--out", str(out)]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob(".feedback*")] == []


def test_without_stored_prompts_nothing_is_written_and_the_remedy_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, out = f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "feedback.jsonl"
    migrate(url)
    with State.open(url) as state:
        state.ledger.append([an_attempt(1), an_attempt(2)])
    out.write_text("the log of last week\n")
    assert main(["export-feedback", "--state", url, "--out", str(out)]) == 1
    assert capsys.readouterr().err == (
        "error: nothing to learn from: 2 answered requests, none with its prompt in the ledger; "
        "set store_prompts = true under [proxy]\n"
    )
    assert out.read_text() == "the log of last week\n"
    assert [path.name for path in tmp_path.glob(".feedback*")] == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--since", "2027-01-01", "--out", "feedback.jsonl"], "no answered request from 2027-01-01 to now"),
        (["--out", "."], "this is no regular file"),
        (["--out", "/no/such/feedback.jsonl"], "there is no folder /no/such"),
    ],
    ids=["nothing in those days", "a folder", "no folder"],
)
def test_a_mistake_is_one_line(
    url: str,
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export-feedback", "--state", url, *arguments]) == 1
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == 1
