"""What stands in a journal, what a crash may do to it, and whom it serves."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from serving import RouterConfig
from serving.labelling.errors import JournalError
from serving.labelling.journal import Journal, journal_path
from serving.labelling.record import Reply, Sent
from serving.labelling.settings import LabelSettings

SETTINGS = LabelSettings.of(RouterConfig(), judge=None, simulated=False)
CALL = Sent("d" * 64, "answer:cheap", "m", 0.5)
REPLY = Reply(
    "text \u2028 of the answer\n", "stop", usd=0.1, charged_usd=0.1, input_tokens=3, output_tokens=4
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return journal_path(tmp_path / "out.jsonl")


@pytest.fixture
def written(path: Path) -> Path:
    """One call answered, one failed, one without an end."""
    with Journal.open(path, SETTINGS) as journal:
        journal.answered(journal.sent(CALL), REPLY)
        journal.failed(journal.sent(CALL), "timed out", 0.5)
        journal.sent(CALL)
    return path


def test_what_was_written_is_read_again(written: Path) -> None:
    with Journal.open(written, SETTINGS) as journal:
        record = journal.record
    assert record.of(CALL.prompt) == {"answer:cheap": [REPLY]}
    assert record.under_way == {3: CALL}
    assert record.charged_usd == pytest.approx(0.1 + 0.5 + 0.5)
    assert (record.lost, record.lost_usd, record.calls) == (1, 0.5, 3)


def test_calls_are_numbered_through_all_runs(written: Path) -> None:
    with Journal.open(written, SETTINGS) as journal:
        assert journal.sent(CALL) == 4


@pytest.mark.parametrize("cut", [1, 5, 60], ids=lambda cut: f"{cut} bytes short")
def test_a_torn_last_line_is_dropped_and_written_over(written: Path, cut: int) -> None:
    written.write_bytes(written.read_bytes()[:-cut])
    with Journal.open(written, SETTINGS) as journal:
        assert journal.record.calls == 2
        assert journal.sent(CALL) == 3
    lines = written.read_bytes().splitlines()
    assert [json.loads(line)["entry"] for line in lines[-2:]] == ["failed", "sent"]


@pytest.mark.parametrize("length", range(0, 400, 37))
def test_a_crash_at_any_byte_leaves_a_journal_that_opens(written: Path, length: int) -> None:
    written.write_bytes(written.read_bytes()[:length])
    with Journal.open(written, SETTINGS) as journal:
        journal.sent(CALL)
    with Journal.open(written, SETTINGS) as journal:
        assert journal.record.calls >= 1


@pytest.mark.parametrize(
    "line",
    [b"not json", b"{}", b'{"entry":"answered","call":77,"reply":{}}', b'{"entry":"x","call":1}', b"[1]"],
    ids=["no JSON", "empty", "never sent", "of no kind", "a list"],
)
def test_damage_in_the_middle_is_named_with_its_line(written: Path, line: bytes) -> None:
    lines = written.read_bytes().splitlines()
    written.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]) + b"\n")
    before = written.read_bytes()
    with pytest.raises(JournalError, match=r"journal, line 3: damaged: restore the file, or choose"):
        Journal.open(written, SETTINGS)
    assert written.read_bytes() == before


def test_other_settings_are_refused_by_name(written: Path) -> None:
    changed = replace(SETTINGS, judge="another", seed=3)
    with pytest.raises(JournalError, match=r"judge was '.*' and is now 'another'; seed was 0 and is now 3"):
        Journal.open(written, changed)


def test_the_share_that_is_judged_twice_may_change(written: Path) -> None:
    with Journal.open(written, replace(SETTINGS, judge_twice=1.0)) as journal:
        assert journal.record.calls == 3


@pytest.mark.parametrize(
    "content", [b"my own notes", b"my own notes\n", b"a\nb\n", b'{"a": 1}\n{"b": 2}\n'], ids=str
)
def test_somebody_elses_file_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match="not a journal of this version"):
        Journal.open(path, SETTINGS)
    assert path.read_bytes() == content


def test_a_journal_without_a_call_leaves_no_file(path: Path) -> None:
    with Journal.open(path, SETTINGS):
        assert path.exists()
    assert not path.exists()


def test_one_process_at_a_time_and_the_next_after_it(path: Path) -> None:
    with (
        Journal.open(path, SETTINGS) as first,
        pytest.raises(JournalError, match="another process is labelling"),
    ):
        Journal.open(path, SETTINGS)
    first.close()
    with Journal.open(path, SETTINGS) as again:
        again.sent(CALL)


def test_nobody_else_may_read_the_answers(written: Path) -> None:
    assert written.stat().st_mode & 0o077 == 0


def test_prompts_stand_in_it_by_their_digest_alone(written: Path) -> None:
    sent = json.loads(written.read_text(encoding="ascii").splitlines()[1])
    assert set(sent) == {"entry", "call", "prompt", "step", "model", "bound_usd"}
