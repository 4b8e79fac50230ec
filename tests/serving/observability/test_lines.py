"""Lines for standard error: who does not read them holds nobody up."""

import io
import logging
import os
import threading
import time

import pytest

from serving.observability.lines import LineHandler, LineWriter, logging_to

PATIENCE = 10.0


def told(number: int) -> str:
    return f"{number} lost"


def drain(writer: LineWriter) -> None:
    assert writer.close(PATIENCE)


def test_lines_are_written_in_order_and_to_the_end() -> None:
    stream = io.StringIO()
    writer = LineWriter.to(stream, told)
    for number in range(100):
        writer.put(f"line {number}")
    drain(writer)
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]


def test_a_descriptor_is_written_to_past_the_stream() -> None:
    read, write = os.pipe()
    with os.fdopen(read) as reader, os.fdopen(write, "w") as stream:
        writer = LineWriter.to(stream, told)
        writer.put("über, \ud800 and 🦊")
        drain(writer)
        assert reader.readline() == "über, \\ud800 and 🦊\n"


def test_a_reader_that_stopped_reading_holds_nobody_up_and_what_was_lost_is_told() -> None:
    written: list[bytes] = []
    goes_on = threading.Event()

    def write(line: bytes) -> None:
        goes_on.wait(PATIENCE)
        written.append(line)

    writer = LineWriter(write, told, most_lines=10)
    started = time.monotonic()
    for _ in range(1000):
        writer.put("x" * 100)
    assert time.monotonic() - started < PATIENCE / 2
    lost = writer.dropped
    assert 989 <= lost <= 990  # one line may be in the writer's hands
    goes_on.set()
    drain(writer)
    assert written.count(b"x" * 100 + b"\n") == 1000 - lost
    assert f"{lost} lost\n".encode() in written


def test_a_full_pipe_ends_the_writer_late_and_never_the_program() -> None:
    read, write = os.pipe()
    try:
        writer = LineWriter.to(os.fdopen(write, "w", closefd=False), told)
        for _ in range(100):
            writer.put("x" * 10_000)
        started = time.monotonic()
        assert not writer.close(0.2)
        assert time.monotonic() - started < PATIENCE / 2
    finally:
        os.close(read)  # which lets the thread go on, into an error that it keeps to itself
        drain(writer)
        os.close(write)


def test_a_line_that_is_too_long_is_cut() -> None:
    stream = io.StringIO()
    writer = LineWriter.to(stream, told)
    writer.put("x" * 1_000_000)
    drain(writer)
    (line,) = stream.getvalue().splitlines()
    assert len(line) == 16 * 1024
    assert line.endswith(" (cut)")


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")], ids=["pipe", "closed stream"])
def test_a_reader_that_is_gone_is_borne(error: Exception) -> None:
    def write(_: bytes) -> None:
        raise error

    writer = LineWriter(write, told)
    writer.put("a")
    drain(writer)


def test_a_logger_has_its_own_handlers_back_in_the_end() -> None:
    logger, stream = logging.Logger("a test"), io.StringIO()
    own = logging.StreamHandler(io.StringIO())
    logger.addHandler(own)
    writer = LineWriter.to(stream, told)
    with logging_to(LineHandler(writer, logging.Formatter("%(levelname)s: %(message)s")), logger):
        logger.warning("it %s", "broke")
        assert own not in logger.handlers
    drain(writer)
    assert stream.getvalue() == "WARNING: it broke\n"
    assert logger.handlers == [own]
