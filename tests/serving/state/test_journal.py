import json
import subprocess
import sys
from pathlib import Path

import pytest

from serving.errors import StateError
from serving.state.journal import Journal

KILLED = """
import os, signal, sys
from pathlib import Path
from serving.state.journal import Journal
journal = Journal.open(Path(sys.argv[1]))
journal.append(b'{"n":1}')
journal.seal()
journal.append(b'{"n":2}')
os.kill(os.getpid(), signal.SIGKILL)
"""


def numbers(journal: Journal) -> list[int]:
    """Read, and be done with, all that waits."""
    found: list[int] = []
    journal.seal()
    while (segment := journal.oldest()) is not None:
        found += [entry["n"] for entry in segment.entries()]
        journal.done()
    return found


def put(journal: Journal, *values: int) -> None:
    for value in values:
        assert journal.append(json.dumps({"n": value}).encode())


def test_entries_come_back_in_order_and_are_gone_when_done(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    put(journal, 1, 2)
    journal.seal()
    put(journal, 3)
    assert numbers(journal) == [1, 2, 3]
    assert journal.size == 0
    journal.close()
    assert list((tmp_path / "journal").iterdir()) == []


def test_an_empty_journal_has_nothing_to_write(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.seal()
    assert journal.oldest() is None
    assert journal.unsynced() == []


def test_no_more_is_taken_in_than_there_is_room_for(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, most_bytes=20)
    put(journal, 1, 2)
    assert journal.size == 18
    assert not journal.append(b'{"n":3}')
    assert numbers(journal) == [1, 2]
    put(journal, 3)


def test_a_long_segment_ends_by_itself(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    for _ in range(5):
        assert journal.append(b"1" * (1 << 20))
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_what_a_closed_journal_left_is_adopted(tmp_path: Path) -> None:
    first = Journal.open(tmp_path)
    put(first, 1)
    first.close()
    second = Journal.open(tmp_path)
    put(second, 2)
    assert numbers(second) == [1, 2]


def test_what_a_killed_process_left_is_adopted(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)  # noqa: S603
    assert done.returncode == -9
    journal = Journal.open(tmp_path)
    assert numbers(journal) == [1, 2]
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_has_is_left_alone(tmp_path: Path) -> None:
    first, second = Journal.open(tmp_path), Journal.open(tmp_path)
    put(first, 1)
    second.adopt()
    assert numbers(second) == []
    assert numbers(first) == [1]


@pytest.mark.parametrize(
    "tail",
    [b'{"n":', b'{"n":2}', b"\xff\n", b"7\n", b"[" * 5000 + b"\n"],
    ids=["cut", "no end", "bytes", "7", "deep"],
)
def test_a_damaged_line_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, tail: bytes
) -> None:
    journal = Journal.open(tmp_path)
    put(journal, 1)
    journal.close()
    (segment,) = tmp_path.glob("*.jsonl")
    segment.write_bytes(segment.read_bytes() + tail)
    assert numbers(Journal.open(tmp_path)) == [1]
    assert "1 damaged lines were left out" in caplog.text


def test_syncing_is_needed_once(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    put(journal, 1)
    (segment,) = journal.unsynced()
    segment.sync()
    assert journal.unsynced() == []
    put(journal, 2)
    assert journal.unsynced() == [segment]


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    put(journal, 1)
    (segment,) = (tmp_path / "journal").glob("*.jsonl")
    assert (segment.stat().st_mode & 0o777, segment.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file/journal: no journal can be kept there: Not a directory"):
        Journal.open(tmp_path / "file" / "journal")


FULL_DISK = """
import resource, sys
from pathlib import Path
from serving.state.journal import Journal
journal = Journal.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (12, 12))
assert journal.append(b'{"n":1}')
try:
    journal.append(b'{"n":2}')
except OSError as error:
    print(error)
print(journal.size)
journal.close()
"""


def test_an_entry_that_the_disk_takes_in_part_is_taken_back(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "8"
    assert "only 4 of 8 bytes were written" in done.stdout
    assert numbers(Journal.open(tmp_path)) == [1]
