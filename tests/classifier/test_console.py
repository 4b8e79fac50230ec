import subprocess
import sys
from collections.abc import Callable

import pytest

from classifier import PromptError, TierError
from classifier.console import EXIT_FAILED, EXIT_INTERRUPTED, run_command


def fails_with(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_command_decides_on_its_exit_code(code: int) -> None:
    assert run_command(lambda: code, ()) == code


def test_an_expected_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    command = fails_with(PromptError("this is\n  no\r\n\tprompt"))
    assert run_command(command, (PromptError,)) == EXIT_FAILED == 1
    assert capsys.readouterr() == ("", "error: this is no prompt\n")


def test_an_error_that_nobody_expects_is_not_hidden() -> None:
    with pytest.raises(TierError, match="gold"):
        run_command(fails_with(TierError("gold")), (PromptError,))


def test_an_interrupted_command_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(fails_with(KeyboardInterrupt()), ()) == EXIT_INTERRUPTED == 130
    assert capsys.readouterr() == ("", "")


def in_a_process(command: str, output: str = "/dev/stdout") -> subprocess.CompletedProcess[str]:
    """Run `run_command` in a process of its own: after some errors it closes standard output for good."""
    code = (
        "import sys\nfrom classifier.console import run_command\n"
        f"def command():\n    {command}\n    return 0\nsys.exit(run_command(command, ()))"
    )
    shell = f'exec "$0" -c "$1" > {output}'
    return subprocess.run(["/bin/sh", "-c", shell, sys.executable, code], capture_output=True, text=True)  # noqa: S603


def test_an_error_of_the_operating_system_is_one_line_that_names_the_file() -> None:
    ended = in_a_process("open('/nowhere/at all')")
    assert (ended.returncode, ended.stderr) == (1, "error: /nowhere/at all: No such file or directory\n")


def test_a_full_disk_under_standard_output_is_one_line() -> None:
    ended = in_a_process("print('x')", output="/dev/full")
    assert (ended.returncode, ended.stderr) == (1, "error: No space left on device\n")


def test_a_reader_that_goes_away_ends_the_command_silently() -> None:
    ended = in_a_process(
        "[print('x' * 1000) for _ in range(1000)]", output="/dev/stdout | head -c 1 >/dev/null"
    )
    assert ended.stderr == ""
