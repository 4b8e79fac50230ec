import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from serving import RouterConfig
from serving.config import PROXY_SECTIONS
from serving.sandbox import Sandbox
from serving.serve_config import ServeConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEYS = {"GLOBAL_API_KEY": "simulated", "GLOBAL_API_PRO_KEY": "ga_pro_simulated"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def sessions() -> list[tuple[str, str]]:
    """Each command of the console blocks with the output that stands under it."""
    parts = [part for block in blocks("console") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    interpreter = shlex.quote(sys.executable)
    environ = {name: value for name, value in os.environ.items() if name not in KEYS}
    return subprocess.run(  # noqa: S602 - the README's own commands are what is tested
        command.replace("python -m", f"{interpreter} -m"),
        shell=True,
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the project's to the commands, and that they may write to."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "data").symlink_to(ROOT / "data")
    (folder / "build").mkdir()
    return folder


@pytest.mark.parametrize(("command", "shown"), [pytest.param(*s, id=s[0][:60]) for s in sessions()])
def test_every_command_works_and_prints_what_the_readme_shows(command: str, shown: str, folder: Path) -> None:
    finished = run(command, folder)
    assert finished.returncode == 0, finished.stderr
    assert words(finished.stdout)[: len(words(shown))] == words(shown)


def words(output: str) -> list[str]:
    """What must not change without the README: everything but numbers, which machines round differently."""
    return re.sub(r"[-+]?\d[\d.,]*%?|[0-9a-f]{12}", "#", output).split()


def test_the_first_program_runs() -> None:
    exec(compile(blocks("python")[0], "README.md", "exec"), {})  # noqa: S102 - our own lines


def test_the_second_program_routes() -> None:
    program = blocks("python")[1].replace("TierRouter()", "TierRouter(config, environ=keys)")
    with Sandbox.start() as sandbox:
        config = RouterConfig.from_dict({"base_url": sandbox.url})
        exec(compile(program, "README.md", "exec"), {"config": config, "keys": KEYS})  # noqa: S102 - likewise
        assert [request.path for request in sandbox.requests] == ["/v1/chat/completions"]


@pytest.mark.parametrize("settings", blocks("toml"))
def test_every_setting_is_known(settings: str) -> None:
    values = tomllib.loads(settings)
    RouterConfig.from_dict({name: table for name, table in values.items() if name not in PROXY_SECTIONS})
    ServeConfig.from_dict({name: table for name, table in values.items() if name in PROXY_SECTIONS})


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
