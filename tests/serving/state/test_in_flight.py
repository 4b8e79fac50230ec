"""What was begun and never ended: it comes back as it was noted, after all that was written about it."""

import signal
import subprocess
import sys
from pathlib import Path

from serving.spending.ledger_row import Outcome
from serving.state.database import Database
from serving.state.in_flight import InFlight
from serving.state.journal import Journal
from serving.state.state import State
from serving.state.writer import RowWriter

DIES = """
import os, signal, sys
from pathlib import Path
from serving.spending.ledger_row import Outcome
from serving.state import Journal, RowWriter, State
from tests.serving.state.rows import a_row
url, folder = sys.argv[1:]
state = State.open(url)
writer = RowWriter(state.ledger, state.budgets, Journal.open(Path(folder)))
for number in range(4):
    writer.begin(a_row(number, outcome=Outcome.UNKNOWN, cause="died"))
writer.put(a_row(0, cause="written"))
assert writer.flush(30)
writer.put(a_row(1, cause="in the journal"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_a_row_of_every_attempt_and_none_twice(
    url: str, database: Database, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", DIES, url, str(tmp_path / "journal")]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)  # noqa: S603
    assert done.returncode == -signal.SIGKILL, done.stderr
    state = State.of(database)
    with RowWriter(state.ledger, state.budgets, Journal.open(tmp_path / "journal")) as writer:
        assert writer.flush(30)
    rows = list(state.ledger.rows(0, 1e12))
    assert [row.cause for row in rows] == ["written", "in the journal", "died", "died"]
    assert [row.outcome for row in rows[2:]] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert list((tmp_path / "journal").glob("*.begun")) == []


def test_what_ended_is_not_kept_for_good(tmp_path: Path) -> None:
    flight = InFlight(tmp_path, "me")
    line = b"x" * 1000
    flight.begin("stays", b"first")
    for number in range(3000):
        flight.begin(f"{number}", line)
        flight.end(f"{number}")
    (path,) = InFlight.left_by(tmp_path, "me")
    assert path.stat().st_size < 2 * 2**20
    assert b"first\n" in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    flight.close()
    assert InFlight.left_by(tmp_path, "me") == [path]


def test_an_orderly_end_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.begin("a", b"{}")
    journal.end("a")
    journal.close()
    assert list(tmp_path.iterdir()) == []
