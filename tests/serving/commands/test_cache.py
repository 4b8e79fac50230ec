import json
from pathlib import Path

import pytest

from serving.cli import main
from serving.state import State
from serving.state.migrate import migrate
from serving.state.neighbours import Neighbours
from tests.serving.state.test_answers import an_answer
from tests.serving.state.test_neighbours import an_ask


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Of a database with three answers, two of them one key's."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    with State.open(url) as state:
        for number, scope in enumerate(["key:4f1d", "key:4f1d", "open"]):
            state.answers.put(an_answer(number, scope=scope, at=1_795_305_600.0 + number * 3600))
    path = tmp_path / "proxy.toml"
    path.write_text(f'[state]\nurl = "{url}"\n')
    return str(path)


def test_it_shows_what_is_kept(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "show", "--config", config]) == 0
    told = "3 answers, 0.0 MB, given from 2026-11-22 00:00 to 2026-11-22 02:00 UTC\n"
    assert capsys.readouterr().out == told
    assert main(["cache", "show", "--config", config, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "entries": 3,
        "bytes": 42,
        "oldest_at": 1_795_305_600.0,
        "newest_at": 1_795_312_800.0,
    }


def test_it_deletes_those_of_a_key_or_all(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--key", "none"], ["--key", "4f1d"], [], ["--json"]):
        assert main(["cache", "clear", "--config", config, *given]) == 0
    assert main(["cache", "show", "--config", config]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 answers deleted",
        "2 answers deleted",
        "1 answer deleted",
        '{"deleted": 0}',
        "no answers are kept",
    ]


def test_a_database_that_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proxy.toml"
    path.write_text('[state]\nurl = "sqlite:////nowhere/state.db"\n')
    assert main(["cache", "clear", "--config", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_deleting_answers_deletes_the_asks_of_the_semantic_cache_too(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(config)
    path.write_text(
        path.read_text() + '[cache.semantic]\nenabled = true\nembedding_model = "m"\nthreshold = 0.9\n'
    )
    url = f"sqlite:///{path.with_name('state.db')}"
    assert main(["migrate", "--config", config]) == 0
    assert "the semantic cache's index is there" in capsys.readouterr().out
    asks = Neighbours.open(url)
    for number, scope in enumerate(["key:4f1d", "open"]):
        asks.put(an_ask(number, scope=scope))
    for given, left in ((["--key", "4f1d"], 1), ([], 0)):
        assert main(["cache", "clear", "--config", config, *given]) == 0
        assert asks.size() == left
    asks.close()
