"""`python -m serving label` from its words: what is printed, and one line for each mistake."""

import json
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest

from serving.cli import main
from serving.sandbox import AcceptedKeys, Sandbox

KEY, PRO_KEY = "ga_0123456789", "ga_pro_9876543210"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "asks.csv"
    path.write_text("prompt,id\nname three rivers,a\nprove it,b\nprove it,c\n")
    return path


@pytest.fixture(autouse=True)
def nobody_at_a_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO())
    monkeypatch.delenv("GLOBAL_API_KEY", raising=False)
    monkeypatch.delenv("GLOBAL_API_PRO_KEY", raising=False)


def run(prompts: Path, *more: str) -> int:
    return main(["label", str(prompts), "--budget-usd", "1", *more])


def one_error(err: str) -> str:
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_rehearsal_says_everywhere_that_it_is_one(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(prompts, "--sandbox", "--judge-twice", "1") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Simulated: the prompts stay on this machine")
    assert "labelled   2 of 2 prompts; 1 repetition asked once (simulated: no model was called" in out
    assert "agreement  2 prompts judged twice in swapped order, 6 grades (few" in out
    rows = [json.loads(line) for line in (prompts.parent / "asks.simulated.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert all(row["simulated"] is True for row in rows)
    assert all(
        len(line) <= 110 for line in out.splitlines() if "warning" not in line and "written" not in line
    )


def test_the_report_as_json_stands_alone_on_standard_output(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(prompts, "--sandbox", "--json", "--limit", "1") == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["simulated"] is True
    assert (report["prompts"], report["labelled"], report["go_on"]) == (1, 1, None)
    assert set(report["tiers"]) == {"cheap", "balanced", "premium"}
    assert err.startswith("Simulated: ")


def test_with_keys_it_asks_the_configured_upstream_and_masks_them(
    prompts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLOBAL_API_KEY", KEY)
    monkeypatch.setenv("GLOBAL_API_PRO_KEY", PRO_KEY)
    with Sandbox.start(keys=AcceptedKeys(KEY, PRO_KEY)) as upstream:
        config = prompts.with_name("router.toml")
        config.write_text(f'base_url = "{upstream.url}"\n')
        out = prompts.with_name("mine.jsonl")
        arguments = ["--config", str(config), "--out", str(out), "--yes", "--judge-twice", "0"]
        assert run(prompts, *arguments, "--redact", "emails-and-numbers") == 0
        assert len(upstream.requests) == 8
    told = capsys.readouterr().out
    assert "redaction  by emails-and-numbers" in told
    assert KEY not in told + out.with_name("mine.jsonl.journal").read_text()
    assert len(out.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "GLOBAL_API_KEY is not set"),
        (["--sandbox", "--judge", "x/y"], 'prices."x/y": missing'),
        (["--sandbox", "--redact", "nowhere:f"], "cannot be imported"),
        (["--sandbox", "--redact-command", "no-such-program-here"], "there is no such program"),
        (["--sandbox", "--out", "/nowhere/at/all.jsonl"], "there is no folder /nowhere/at"),
        (["--sandbox", "--out", "/"], "/: is a folder"),
        (["--sandbox", "--config", "/nowhere.toml"], "/nowhere.toml: cannot be read"),
        (["--sandbox", "--budget-usd", "0.00001"], "does not cover the next prompt"),
    ],
    ids=["no key", "judge", "redactor", "command", "no folder", "a folder", "configuration", "budget"],
)
def test_what_is_wrong_is_one_line(
    prompts: Path, more: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(prompts, *more) == 1
    assert told in one_error(capsys.readouterr().err)
    assert [path.name for path in prompts.parent.iterdir()] == ["asks.csv"]


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none.jsonl", "--sandbox") == 1
    assert "none.jsonl: cannot be read: No such file or directory" in one_error(capsys.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["label"],
        ["label", "p"],
        ["label", "p", "--budget-usd", "0"],
        ["label", "p", "--budget-usd", "-1"],
        ["label", "p", "--budget-usd", "nan"],
        ["label", "p", "--budget-usd", "five"],
        ["label", "p", "--budget-usd", "1", "--judge-twice", "1.5"],
        ["label", "p", "--budget-usd", "1", "--concurrency", "0"],
        ["label", "p", "--budget-usd", "1", "--limit", "x"],
        ["label", "p", "--budget-usd", "1", "--redact", "a:b", "--redact-command", "c"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_end_with_code_2(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m serving label" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["label", "--help"])
    assert "examples:\n  python -m serving label" in capsys.readouterr().out
