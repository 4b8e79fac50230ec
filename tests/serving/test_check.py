"""`python -m serving check` against an upstream that is well, ill, or not there."""

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from classifier import TierPredictor
from serving.check import Check, check_model, run_check
from serving.cli import main
from serving.config import RouterConfig
from serving.keys import CHANNELS
from serving.sandbox import (
    AcceptedKeys,
    BrokenJson,
    Fault,
    Gigantic,
    HtmlPage,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    Status,
)
from tests.serving.small_model import write_small_model

KEY, PRO_KEY = "ga_0123456789", "ga_pro_9876543210"
BOTH = {"GLOBAL_API_KEY": KEY, "GLOBAL_API_PRO_KEY": PRO_KEY}
ALONE = {"GLOBAL_API_KEY": KEY}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(keys=AcceptedKeys(KEY, PRO_KEY)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear()
    return running


def check(sandbox: Sandbox, environ: Mapping[str, str]) -> Check:
    return run_check(RouterConfig(base_url=sandbox.url, first_byte_seconds=0.5), environ)


def text(found: Check) -> str:
    return "\n".join(found.lines())


def test_all_is_well_with_both_keys(sandbox: Sandbox) -> None:
    found = check(sandbox, BOTH)
    assert found.ok
    assert [tier.answered_by for tier in found.tiers] == [tier.model for tier in found.tiers]
    assert text(found).endswith("every tier is answered by its own model")


def test_each_channel_is_asked_with_its_own_key(sandbox: Sandbox) -> None:
    check(sandbox, BOTH)
    asked = [(received.path, received.headers["authorization"]) for received in sandbox.requests]
    assert asked == [("/v1/models", f"Bearer {KEY}"), ("/v1/models", f"Bearer {PRO_KEY}")]


def test_without_the_pro_key_premium_is_skipped_and_the_remedy_is_told(sandbox: Sandbox) -> None:
    found = check(sandbox, ALONE)
    assert not found.ok
    assert [len(found.connections), found.tiers[2].answered_by] == [1, "Qwen/Qwen3-32B"]
    assert "Pro/deepseek-ai/DeepSeek-V3.2  not reachable; Qwen/Qwen3-32B answers instead" in text(found)
    assert "skipped: GLOBAL_API_PRO_KEY is not set. Set it, or give the tier a model outside Pro/" in text(
        found
    )


def test_without_any_key_nothing_is_asked(sandbox: Sandbox) -> None:
    found = check(sandbox, {})
    assert not found.ok
    assert sandbox.requests == ()
    assert "GLOBAL_API_KEY is not set: put the key of your account into the environment" in text(found)


def test_a_key_that_no_key_can_be_is_told(sandbox: Sandbox) -> None:
    found = check(sandbox, {"GLOBAL_API_KEY": "ключ"})
    assert "GLOBAL_API_KEY holds characters that no key has: copy the key again" in text(found)


def test_a_pro_key_that_does_not_look_like_one_is_questioned(sandbox: Sandbox) -> None:
    found = check(sandbox, {**ALONE, "GLOBAL_API_PRO_KEY": KEY})
    assert not found.ok
    assert "GLOBAL_API_PRO_KEY does not begin with ga_pro_: is it the key of the Pro channel?" in text(found)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(
            Status(401), "the key was refused (401): GLOBAL_API_KEY is wrong, expired or of another", id="401"
        ),
        pytest.param(Status(403), "the key may not do this (403)", id="403"),
        pytest.param(
            Status(404), "there is no list of models at this address (404): is base_url right?", id="404"
        ),
        pytest.param(Status(429), "too many requests for this key (429): wait a minute", id="429"),
        pytest.param(Status(302), "answered with a redirect (302)", id="redirect"),
        pytest.param(Status(503), "answered with status 503: the upstream has trouble of its own", id="503"),
        pytest.param(
            HtmlPage(), "answered with text/html; charset=utf-8 that is no list of models", id="a page"
        ),
        pytest.param(
            BrokenJson(), "answered with application/json that is no list of models", id="broken JSON"
        ),
        pytest.param(Silence(), "no answer within 0.5 s", id="silence"),
        pytest.param(Reset(), "the connection broke off", id="reset"),
        pytest.param(ResetAfter(0), "the connection broke off", id="reset halfway"),
        pytest.param(Gigantic(20_000_000), "sent more than 16 MB instead of a list of models", id="endless"),
    ],
)
def test_an_ill_connection_is_told_in_words(sandbox: Sandbox, fault: Fault, words: str) -> None:
    sandbox.script("/models", fault)
    found = check(sandbox, ALONE)
    assert words in text(found)
    assert [tier.answered_by for tier in found.tiers] == [None, None, None]
    assert "the standard connection does not work (see above)" in text(found)


def test_a_refused_pro_key_leaves_the_other_tiers_well(sandbox: Sandbox) -> None:
    found = check(sandbox, {**ALONE, "GLOBAL_API_PRO_KEY": "ga_pro_old"})
    assert [bool(tier.trouble) for tier in found.tiers] == [False, False, True]
    assert "the key was refused (401): GLOBAL_API_PRO_KEY is wrong" in text(found)


def test_nobody_listening_is_told_with_the_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = run_check(RouterConfig(base_url=f"http://127.0.0.1:{port}/v1"), ALONE)
    assert "cannot connect to 127.0.0.1:" in text(found)
    assert "is base_url right, and the network up?" in text(found)


def test_a_model_that_the_upstream_does_not_list_is_told() -> None:
    with Sandbox.start(models=["Qwen/Qwen3-32B"]) as sandbox:
        found = check(sandbox, BOTH)
    assert [tier.answered_by for tier in found.tiers] == ["Qwen/Qwen3-32B"] * 3
    assert "deepseek-ai/DeepSeek-V4-Flash  not reachable; Qwen/Qwen3-32B answers instead" in text(found)
    assert "not among the models that the upstream lists: requests for it would get 404" in text(found)


@pytest.mark.parametrize("environ", [BOTH, ALONE, {}], ids=["both keys", "one key", "no key"])
def test_no_key_is_ever_shown(sandbox: Sandbox, environ: dict[str, str]) -> None:
    found = check(sandbox, environ)
    shown = f"{text(found)}{found!r}{json.dumps(found.as_dict())}"
    assert KEY not in shown
    assert PRO_KEY not in shown
    assert list(found.keys) == list(CHANNELS)


def test_the_command_reads_the_configuration_and_exits_with_the_verdict(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "router.toml"
    config.write_text(f'base_url = "{sandbox.url}"\n')
    monkeypatch.setenv("GLOBAL_API_KEY", KEY)
    monkeypatch.setenv("GLOBAL_API_PRO_KEY", PRO_KEY)
    assert main(["check", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert f"configuration  {config}" in shown
    assert "GLOBAL_API_KEY      set (***, 13 characters)" in shown
    monkeypatch.delenv("GLOBAL_API_PRO_KEY")
    assert main(["check", "--config", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert found["configuration"] == str(config)
    assert found["tiers"][2]["trouble"].startswith("skipped: GLOBAL_API_PRO_KEY is not set")
    assert max(map(len, shown.splitlines())) <= 110
    assert "Traceback" not in shown
    assert sys.exc_info() == (None, None, None)


def test_a_model_file_that_is_good_is_told_with_its_version(tmp_path: Path, predictor: TierPredictor) -> None:
    found = check_model(write_small_model(tmp_path / "small.tierwise"))
    assert (found.version, found.trouble) == (predictor.version, "")
    assert found.lines() == ["classifier", f"  {tmp_path / 'small.tierwise'}  version {predictor.version}"]


def test_a_model_file_that_is_no_good_makes_the_check_fail(tmp_path: Path) -> None:
    path = tmp_path / "broken.tierwise"
    path.write_bytes(b"broken")
    found = check_model(path)
    assert found.version is None
    assert str(path) in found.trouble
    assert found.lines()[1] == f"  {path}  cannot be used; balanced answers instead"
    assert Check({}, (), (), (), classifier=found).ok is False
    assert Check({}, (), (), (), classifier=check_model(None)).ok is True
