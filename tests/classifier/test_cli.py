"""`python -m classifier`: what it prints, how it ends, and what it says about mistakes."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from classifier import TierPredictor
from classifier.cli import main

PROMPT = "Prove that every finite division ring is commutative."
MESSAGES = [
    {"role": "user", "content": PROMPT},
    {"role": "assistant", "content": "."},
    {"role": "user", "content": "why?"},
]
Printed = pytest.CaptureFixture[str]


def error_line(printed: Printed) -> str:
    out, err = printed.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith("error: ")
    return err.removeprefix("error: ").strip()


def say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(arguments: Sequence[str], given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "classifier", *arguments]
    return subprocess.run(command, input=given, capture_output=True, env=os.environ | environ)  # noqa: S603


def check_no_traceback(ended: subprocess.CompletedProcess[bytes]) -> None:
    assert b"Traceback" not in ended.stderr, ended.stderr.decode(errors="replace")
    assert len(ended.stderr.splitlines()) <= 1


def test_a_prompt_is_answered_in_a_few_lines(predictor: TierPredictor, capsys: Printed) -> None:
    assert main([PROMPT]) == 0
    out, err = capsys.readouterr()
    decision = predictor.decide(PROMPT)
    tier, *lines = out.splitlines()
    assert tier == decision.tier.label
    assert [line.split()[0] for line in lines] == ["probabilities", "risk", "policy", "known", "model"]
    assert f"premium {decision.probabilities[2]:.3f}" in lines[0]
    assert lines[-1].endswith(predictor.version)
    assert err == ""


def test_json_holds_the_whole_decision(predictor: TierPredictor, capsys: Printed) -> None:
    assert main(["--json", PROMPT]) == 0
    assert json.loads(capsys.readouterr().out) == predictor.decide(PROMPT).as_dict()


def test_an_explanation_lists_features_that_sum_up(predictor: TierPredictor, capsys: Printed) -> None:
    assert main(["--explain", PROMPT]) == 0
    out = capsys.readouterr().out
    explanation = predictor.explain(PROMPT)
    table = out.partition(f"log-odds of {explanation.decision.tier} against {explanation.against}:\n")[2]
    *parts, total = [float(line.split()[0]) for line in table.splitlines()]
    assert total == pytest.approx(explanation.log_odds, abs=0.001)
    assert sum(parts) == pytest.approx(total, abs=0.001 * len(parts))
    assert explanation.contributions[0].name in table
    assert "smaller ones together" in table
    assert explanation.comparison in out


def test_an_explanation_in_json_holds_every_feature(predictor: TierPredictor, capsys: Printed) -> None:
    assert main(["--explain", "--json", PROMPT]) == 0
    assert json.loads(capsys.readouterr().out) == predictor.explain(PROMPT).as_dict()


def test_a_dash_reads_the_prompt_from_standard_input(
    predictor: TierPredictor, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    say(monkeypatch, PROMPT)
    assert main(["-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == predictor.decide(PROMPT).as_dict()


@pytest.mark.parametrize("source", ["argument", "standard input"])
def test_messages_are_read_as_a_conversation(
    predictor: TierPredictor, monkeypatch: pytest.MonkeyPatch, capsys: Printed, source: str
) -> None:
    text = json.dumps(MESSAGES)
    say(monkeypatch, text)
    assert main(["--messages", "--json", {"argument": text, "standard input": "-"}[source]]) == 0
    assert json.loads(capsys.readouterr().out) == predictor.decide(MESSAGES).as_dict()


def test_the_risk_can_be_set(capsys: Printed) -> None:
    assert main(["--max-risk", "1", PROMPT]) == 0
    assert capsys.readouterr().out.startswith("cheap\n")
    assert main(["--max-risk", "0", "2 + 2?"]) == 0
    assert capsys.readouterr().out.startswith("premium\n")


def test_another_model_can_be_asked(small_file: Path, capsys: Printed) -> None:
    assert main(["--model", str(small_file), "--json", PROMPT]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model_version"] == TierPredictor.load(small_file).version


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--max-risk", "2", "x"], "max_risk is 2.0, but a probability lies in [0, 1]"),
        (["--max-risk", "nan", "x"], "max_risk is nan, but a probability lies in [0, 1]"),
        (
            ["--model", "/nowhere/x.tierwise", "x"],
            "/nowhere/x.tierwise: cannot read a model file here: No such",
        ),
        (["--model", "/", "x"], "/: cannot read a model file here: Is a directory"),
        (["--model", __file__, "x"], f"{__file__}: not a whole model file"),
        (["--messages", "hello"], "--messages: this is not JSON: Expecting value"),
        (["--messages", '{"role": "user"}'], "--messages: expected a JSON list such as"),
        (["--messages", "[]"], "messages is empty: give at least one message"),
        (["--messages", '[{"role": "me"}]'], "message 1: role is 'me', but must be one of assistant"),
        (["--messages", "[" * 100_000], "--messages: this is not JSON"),
        (["--messages", "[1" + "0" * 5000 + "]"], "--messages: this is not JSON"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_1(arguments: list[str], problem: str, capsys: Printed) -> None:
    assert main(arguments) == 1
    assert error_line(capsys).startswith(problem)


@pytest.mark.parametrize(
    "arguments", [[], ["--max-risk", "much", "x"], ["--unknown", "x"], ["one", "two"]], ids=" ".join
)
def test_arguments_that_make_no_sense_are_exit_code_2(arguments: list[str], capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m classifier" in capsys.readouterr().err


def test_help_gives_examples(capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    out = capsys.readouterr().out
    assert "examples:\n  python -m classifier" in out
    assert "--explain" in out


@pytest.mark.parametrize("prompt", ["", " ", "\n", "\ud800", "-", "日本語で証明して"], ids=repr)
def test_any_prompt_at_all_is_answered(monkeypatch: pytest.MonkeyPatch, capsys: Printed, prompt: str) -> None:
    say(monkeypatch, prompt)
    assert main(["--explain", "-"]) == 0
    assert main(["--explain", "--json", "-"]) == 0
    assert capsys.readouterr().err == ""


def test_an_interrupted_command_says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    class Interrupted(io.StringIO):
        def read(self, _: int | None = -1) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Interrupted())
    assert main(["-"]) == 130
    assert capsys.readouterr() == ("", "")


# --- as a process


def test_it_is_a_command(predictor: TierPredictor) -> None:
    ended = run(["-", "--json"], PROMPT.encode())
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == predictor.decide(PROMPT).as_dict()
    assert ended.stderr == b""


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_input_in_no_encoding_gets_an_answer_or_one_clear_line(errors: str) -> None:
    ended = run(["-"], b"caf\xe9 \xff\xfe", PYTHONIOENCODING=f"utf-8:{errors}")
    check_no_traceback(ended)
    assert ended.returncode in (0, 1)
    assert bool(ended.stderr) == (ended.returncode == 1)


def test_an_argument_in_no_encoding_gets_an_answer() -> None:
    command = [sys.executable.encode(), b"-m", b"classifier", b"--explain", b"caf\xe9 \xff\xfe"]
    ended = subprocess.run(command, capture_output=True)  # noqa: S603
    check_no_traceback(ended)
    assert ended.returncode == 0


@pytest.mark.parametrize("form", ["--json", "--explain"])
def test_a_terminal_that_knows_ascii_alone_gets_an_answer(form: str) -> None:
    ended = run(["--explain", form, "证明 … 日本語で証明して"], PYTHONIOENCODING="ascii")
    check_no_traceback(ended)
    assert ended.returncode == 0


def test_a_closed_standard_input_is_one_clear_line() -> None:
    command = ["/bin/sh", "-c", 'exec "$0" -m classifier - <&-', sys.executable]
    check_no_traceback(subprocess.run(command, capture_output=True))  # noqa: S603


def test_a_full_disk_under_standard_output_is_one_clear_line() -> None:
    command = ["/bin/sh", "-c", 'exec "$0" -m classifier x > /dev/full', sys.executable]
    ended = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (1, "error: No space left on device\n")
