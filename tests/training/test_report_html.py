import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tests.training.routed import evaluation_of, noisy_rows
from training.report_html import evaluation_html

HOSTILE = '<script>alert("1")</script>'
REMOTE = re.compile(r"""(?:src|href|srcset|action|data)\s*=\s*["'](?!data:image/svg\+xml;base64,)""")
VOID = {"meta", "img", "source", "br"}


class Outline(HTMLParser):
    """Notes tags, attributes and text, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open += [tag] * (tag not in VOID)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def hostile_report() -> str:
    found = evaluation_of(noisy_rows(200), domains=("law", HOSTILE, "数学"), model=f"model {HOSTILE}")
    return evaluation_html(found)


@pytest.fixture(scope="module")
def html() -> str:
    return hostile_report()


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    outline.close()
    return outline


def test_the_document_is_whole(outline: Outline) -> None:
    assert outline.open == []
    assert outline.tags[:2] == ["html", "head"]
    assert outline.tags.count("img") == 4


def test_what_comes_from_data_is_shown_and_never_run(html: str, outline: Outline) -> None:
    assert "script" not in outline.tags
    assert "<script" not in html
    assert HOSTILE in outline.texts
    assert f"Evaluation of model {HOSTILE}" in outline.texts
    assert "数学" in outline.texts


def test_nothing_is_fetched_from_outside(html: str, outline: Outline) -> None:
    assert not REMOTE.search(html)
    assert "link" not in outline.tags
    assert "http:" not in html
    assert "https:" not in html


def test_the_policy_forbids_all_but_inline_pictures_and_the_one_style(html: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    expected = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', html)
    assert policy.replace("&#39;", "'") == expected


def test_no_style_or_handler_hides_in_an_attribute(outline: Outline) -> None:
    names = {name for name, _ in outline.attributes}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]


def test_every_picture_has_a_dark_twin_and_words(outline: Outline) -> None:
    assert outline.tags.count("source") == 4
    media = [value for name, value in outline.attributes if name == "media"]
    assert media == ["(prefers-color-scheme: dark)"] * 4
    assert all(value for name, value in outline.attributes if name == "alt")
    pictures = [value for name, value in outline.attributes if name in ("src", "srcset")]
    assert len(set(pictures)) == 8


def test_all_slices_are_listed_and_both_views_titled() -> None:
    domains = [f"domain number {number}" for number in range(40)]
    html = evaluation_html(evaluation_of(noisy_rows(80), domains=domains))
    assert all(f"<td>{name}</td>" in html for name in domains)
    assert "Most probable tier (how good the model is)" in html
    assert "The policy&#39;s choice (what would be called and paid for)" in html


def test_the_same_evaluation_gives_the_same_document(html: str) -> None:
    assert hostile_report() == html
