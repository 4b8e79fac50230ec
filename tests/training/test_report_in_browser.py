"""The HTML report in a real Chromium, the one that Debian packages."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.training.test_report_html import hostile_report

CHROMIUM = shutil.which("chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--window-size=900,2400"),
)
PATIENCE = 120

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(hostile_report(), encoding="utf-8")
    return page


def look(page: Path, *wish: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={page.parent / 'profile'}", *wish, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603


def test_a_browser_shows_the_report_and_its_policy_refuses_nothing_of_it(page: Path) -> None:
    seen = look(page, "--dump-dom")
    assert "expected calibration error" in seen.stdout.lower()
    assert "Refused to" not in seen.stderr
    assert "Content Security Policy" not in seen.stderr


def test_names_from_the_data_stay_text(page: Path) -> None:
    assert "<script" not in look(page, "--dump-dom").stdout


def test_a_picture_of_the_page_has_something_on_it(page: Path) -> None:
    picture = page.with_suffix(".png")
    look(page, f"--screenshot={picture}")
    blank = page.with_name("blank.html")
    blank.write_text("<title>nothing</title>", encoding="utf-8")
    empty = page.with_name("blank.png")
    look(blank, f"--screenshot={empty}")
    assert picture.stat().st_size > 10 * empty.stat().st_size
