"""The commands of `python -m serving`: what they print, how they end, and what they say about mistakes."""

import json
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import pytest

from serving.cli import main
from serving.sandbox import AcceptedKeys, Sandbox, Status
from tests.serving.small_model import write_small_model

KEY, PRO_KEY = "ga_0123456789", "ga_pro_9876543210"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_model(tmp_path_factory.mktemp("model") / "small.tierwise"))


@pytest.fixture
def prompts_file(tmp_path: Path) -> str:
    path = tmp_path / "prompts.txt"
    path.write_text("the capital of Peru?\nprove it\n東京の天気は？\n", encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLOBAL_API_KEY", raising=False)
    monkeypatch.delenv("GLOBAL_API_PRO_KEY", raising=False)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("GLOBAL_API_KEY", KEY)
    monkeypatch.setenv("GLOBAL_API_PRO_KEY", PRO_KEY)
    with Sandbox.start(keys=AcceptedKeys(KEY, PRO_KEY)) as sandbox:
        yield sandbox


@pytest.fixture
def config_file(upstream: Sandbox, tmp_path: Path) -> str:
    path = tmp_path / "router.toml"
    path.write_text(f'base_url = "{upstream.url}"\n')
    return str(path)


def one_error(err: str) -> str:
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_the_demo_without_a_key_says_of_every_answer_that_it_is_simulated(
    model_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--model-file", model_file]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Routing to a simulated upstream at http://127.0.0.1:")
    answers = [line for line in out.splitlines() if " answer of " in line]
    assert len(answers) == 12
    assert all(line.startswith("   simulated answer of ") for line in answers)
    assert all(name in out for name in ("always premium", "always balanced", "always cheap"))


def test_the_demo_with_a_key_asks_the_configured_upstream(
    upstream: Sandbox,
    config_file: str,
    model_file: str,
    prompts_file: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [
        "demo",
        prompts_file,
        "--config",
        config_file,
        "--model-file",
        model_file,
        "--max-tokens",
        "7",
    ]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Routing to {upstream.url}\n")
    assert "simulated" not in out
    bodies = [received.body for received in upstream.requests if isinstance(received.body, dict)]
    assert [body["max_tokens"] for body in bodies] == [7, 7, 7]


def test_the_demo_can_be_told_to_stay_on_this_machine(
    upstream: Sandbox,
    config_file: str,
    model_file: str,
    prompts_file: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["demo", prompts_file, "--config", config_file, "--model-file", model_file, "--sandbox"]
    assert main(arguments) == 0
    assert upstream.requests == ()
    assert "simulated answer of" in capsys.readouterr().out


def test_the_demo_as_json_holds_the_records_and_the_summary(
    model_file: str, prompts_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", prompts_file, "--model-file", model_file, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"] is True
    assert [row["routing"]["tier"] for row in told["prompts"]] == ["cheap", "premium", "cheap"]
    assert all(row["simulated"] for row in told["prompts"])
    assert told["summary"]["requests"] == 3
    assert set(told["summary"]["always_usd"]) == {"cheap", "balanced", "premium"}


def test_prompts_without_an_answer_make_the_demo_fail_with_a_hint(
    upstream: Sandbox,
    config_file: str,
    model_file: str,
    prompts_file: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.always("*", Status(401))
    assert main(["demo", prompts_file, "--config", config_file, "--model-file", model_file]) == 1
    out, err = capsys.readouterr()
    assert out.count("no answer: Error code: 401") == 3
    assert one_error(err).startswith("error: 3 without an answer: python -m serving check tells")


def test_a_chat_without_a_key_tells_both_ways_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat"]) == 1
    told = one_error(capsys.readouterr().err)
    assert "GLOBAL_API_KEY is not set: put the key of your account into the environment" in told
    assert "or add --sandbox for simulated answers" in told


def test_a_piped_chat_ends_with_its_summary(
    model_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("the capital of Peru?\n\nprove it\n"))
    assert main(["chat", "--sandbox", "--model-file", model_file]) == 0
    out = capsys.readouterr().out
    assert out.count(", simulated]") == 2
    assert "cost (simulated: nothing was paid)" in out
    assert [line for line in out.splitlines() if line.split()[:2] == ["cheap", "routing"]]
    assert "p50      p95      p99" in out


def test_a_chat_whose_prompts_get_no_answer_fails(
    upstream: Sandbox,
    config_file: str,
    model_file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.always("*", Status(403))
    monkeypatch.setattr(sys, "stdin", StringIO("one\ntwo\n"))
    assert main(["chat", "--config", config_file, "--model-file", model_file]) == 1
    assert one_error(capsys.readouterr().err).startswith("error: 2 without an answer")


def test_a_port_in_use_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox.start() as first:
        assert main(["sandbox", "--port", str(first.port)]) == 1
    told = one_error(capsys.readouterr().err)
    assert told == f"error: port {first.port} on 127.0.0.1 is in use: choose another, or 0 for any free one"


def test_a_port_that_does_not_exist_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--port", "70000"]) == 1
    assert "port 70000 does not exist" in one_error(capsys.readouterr().err)


@pytest.mark.parametrize("command", ["chat", "check", "demo"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "router.toml: cannot be read: No such file or directory"),
        (b"base_url = ", "router.toml: not TOML"),
        (b"\xff", "router.toml: not UTF-8 at byte 0"),
        (b"bas_url = 'x'", "router.toml: bas_url: unknown key"),
        (b"deadline_seconds = -1", "router.toml: deadline_seconds: -1"),
    ],
    ids=["missing", "not TOML", "not UTF-8", "an unknown key", "out of range"],
)
def test_a_bad_configuration_is_one_error(
    command: str,
    content: bytes | None,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GLOBAL_API_KEY", KEY)
    path = tmp_path / "router.toml"
    (tmp_path / ("other" if content is None else "router.toml")).write_bytes(content or b"")
    assert main([command, "--config", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert told in one_error(err)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot read a model file here"), (b"PK", "not a whole model file")],
    ids=["missing", "damaged"],
)
@pytest.mark.parametrize("command", ["chat", "demo"])
def test_a_bad_model_file_is_one_error(
    command: str, content: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ("other" if content is None else "m.tierwise")).write_bytes(content or b"")
    assert main([command, "--sandbox", "--model-file", str(tmp_path / "m.tierwise")]) == 1
    assert told in one_error(capsys.readouterr().err)


def test_a_bad_prompts_file_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path)]) == 1
    assert "cannot be read: Is a directory" in one_error(capsys.readouterr().err)


def test_an_unreachable_upstream_is_told_for_each_prompt(
    model_file: str,
    prompts_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sandbox.start() as gone:
        (tmp_path / "router.toml").write_text(f'base_url = "{gone.url}"\n')
    monkeypatch.setenv("GLOBAL_API_KEY", KEY)
    config = str(tmp_path / "router.toml")
    assert main(["demo", prompts_file, "--config", config, "--model-file", model_file]) == 1
    out, err = capsys.readouterr()
    assert out.count("no answer: no model answered 'auto'") == 3
    assert "refused" in out
    assert KEY not in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["demo", "--max-tokens", "0"],
        ["demo", "--max-tokens", "many"],
        ["sandbox", "--port", "x"],
        ["sandbox", "--first-token", "nan"],
        ["sandbox", "--per-token", "-1"],
        ["sandbox", "--requests-per-minute", "0"],
        ["check", "unexpected"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_end_with_code_2(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m serving" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["chat", "check", "demo", "sandbox"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  python -m serving {command}" in capsys.readouterr().out
