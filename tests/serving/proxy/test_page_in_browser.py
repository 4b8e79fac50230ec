"""The page at `/` in a real Chromium, the one that Debian packages, before real proxies and the sandbox.

Playwright's own loop runs in this thread for the length of the module, so nothing here is asynchronous. Each
test gets a window of its own and sees to it that its console stayed clean: refusals that a test brings about
are what it may hold, violations of the policy and errors of scripts are not.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from serving.sandbox import Sandbox, Status
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, CHEAP
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
WAIT = 1000 * PATIENCE
REFUSED = re.compile(r"Failed to load resource: (the server responded with a status of 40[14]|net::ERR_)")
NEXT_LOOK = 40_000  # the page looks every five seconds, and the proxy spares a loaded database

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

LONG = "a-rather-long/name-of-a-model-that-nobody-has-ever-heard-of-before:beta"

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tools:
        launched = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    said: list[str] = []
    contexts: list[Any] = []

    def opened(running: Running, *, width: int = 1100, dark: bool = False) -> Any:
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.goto(f"{running.root}/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for each in said if not REFUSED.search(each)] == []


def ask(running: Running, messages: list[Any], headers: dict[str, str] | None = None, **body: Any) -> None:
    ours = {"model": "auto", "messages": messages, **body}
    response = httpx2.post(
        f"{running.url}/chat/completions", json=ours, headers=headers, timeout=PATIENCE, trust_env=False
    )
    assert response.status_code == 200, response.text


def expect(locator: Any) -> Any:
    return playwright.expect(locator)


def test_without_traffic_it_says_so_and_where_to_send_some(running: Running, open_page: Open) -> None:
    page = open_page(running)
    spent = page.get_by_role("region", name="Spent today")
    expect(spent).to_contain_text("$0.00", timeout=WAIT)
    expect(spent).to_contain_text(f"No requests yet today. Point a client at {running.url}")
    expect(page.get_by_role("region", name="Recent decisions")).to_contain_text("None yet")
    expect(page.get_by_role("link", name="All is well")).to_be_visible()


def test_traffic_appears_by_itself(proxy: MakeProxy, open_page: Open) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 20.0}})
    page = open_page(running)
    spent = page.get_by_role("region", name="Spent today")
    expect(spent).to_contain_text("of $20.00 today", timeout=WAIT)
    ask(running, ASK_CHEAP)
    ask(running, ASK_PREMIUM)
    running.rows()
    expect(spent).to_contain_text("for 2 requests, 2 answered", timeout=NEXT_LOOK)
    expect(spent).to_contain_text(re.compile(r"Routing saved \$[\d.]+ over always premium, and cost"))
    decisions = page.get_by_role("region", name="Recent decisions").get_by_role("listitem")
    expect(decisions).to_have_count(2)
    expect(decisions.first).to_contain_text("chosen by the policy: 'prove'")
    savings = page.get_by_role("region", name="What each tier saves over balanced")
    expect(savings.get_by_role("row", name="Cheap")).to_contain_text("11 % less")
    expect(savings.get_by_role("row", name="Premium")).to_contain_text("8.9 times as much")
    page.get_by_text("These figures as a table").click()
    hours = page.get_by_role("region", name="Tiers by the hour").get_by_role("row")
    expect(hours.last).to_contain_text("50 %")
    expect(page.locator("#age")).to_have_text(re.compile(r"Figures of (now|\d+ s ago)"))


def test_an_alarm_and_an_open_circuit_are_told(proxy: MakeProxy, upstream: Sandbox, open_page: Open) -> None:
    running = proxy()
    upstream.always(CHEAP, Status(500))
    for _ in range(12):
        ask(running, ASK_CHEAP)
    desk = running.service.desk
    assert desk is not None
    desk.generation.core.alarms.sound("a test", "<b>something</b> is the matter")
    page = open_page(running)
    expect(page.get_by_role("link", name="1 alarm, 1 circuit open")).to_be_visible()
    health = page.get_by_role("region", name="Alarms and circuits")
    expect(health).to_contain_text("<b>something</b> is the matter")
    expect(health).to_contain_text("open: it is left alone")


def test_a_key_is_asked_for_kept_in_the_tab_and_forgotten(proxy: MakeProxy, open_page: Open) -> None:
    running = proxy()
    issued = running.create_key("own", daily_usd=2.0)
    page = open_page(running)
    field = page.get_by_label("API key", exact=True)
    expect(field).to_be_focused()
    assert field.get_attribute("type") == "password"
    page.keyboard.type("tw_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "That did not work: this API key is not known here, or was revoked."
    )
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    secret = issued.secret.reveal()
    page.keyboard.type(secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Spent today")).to_contain_text("of $2.00 today")
    assert secret not in page.url
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    expect(page.get_by_role("region", name="Spent today")).to_contain_text("of $2.00 today")
    page.get_by_role("button", name="Forget the key").click()
    expect(field).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.get_by_role("region", name="Spent today")).to_be_hidden()


def test_a_key_that_is_revoked_meanwhile_takes_the_figures_away(proxy: MakeProxy, open_page: Open) -> None:
    running = proxy()
    issued = running.create_key()
    page = open_page(running)
    page.get_by_label("API key", exact=True).fill(issued.secret.reveal())
    page.keyboard.press("Enter")
    spent = page.get_by_role("region", name="Spent today")
    expect(spent).to_be_visible()
    running.revoke(issued.key)
    expect(page.get_by_role("alert")).to_contain_text("revoked", timeout=NEXT_LOOK)
    expect(spent).to_be_hidden()


def test_typing_tells_tier_and_words_as_the_route_endpoint_does_and_sends_nothing(
    running: Running, open_page: Open
) -> None:
    page = open_page(running)
    box = page.get_by_role("textbox", name="Prompt")
    expect(box).to_be_enabled()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
    verdict = page.locator("#verdict")
    for prompt in ("What is the capital of France?", "Write a function for me", "Prove it, then race"):
        box.fill("")
        box.press_sequentially(prompt)
        told = route(running, prompt)
        expect(verdict).to_have_text(re.compile(f"^{told['tier']}: ", re.IGNORECASE))
        probabilities = told["explanation"]["probabilities"]
        for tier, probability in probabilities.items():
            cell = page.locator(".odds").get_by_role("row", name=tier.capitalize())
            expect(cell).to_contain_text(shown(probability))
        towards = page.get_by_role("heading", name=f"Pulls towards {told['tier']}").locator("..")
        for each in told["explanation"]["contributions"][:2]:
            pull = towards if each["value"] > 0 else page.locator(".pulls section").last
            expect(pull).to_contain_text(each["name"])
    assert not [each for each in sent if "overview" not in each]
    box.fill("")
    expect(verdict).to_have_text("")


def route(running: Running, prompt: str) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": prompt}]}
    response = httpx2.post(f"{running.url}/route", json=body, timeout=PATIENCE, trust_env=False)
    told: dict[str, Any] = json.loads(response.content)
    return told


def shown(probability: float) -> str:
    """A probability as the page words it, for those that are neither tiny nor on the edge of a digit."""
    percent = 100 * probability
    return "under 0.1 %" if percent < 0.1 else f"{percent:.1f}"[:3].rstrip(".0")


def test_a_model_that_cannot_be_had_is_told(proxy: MakeProxy, predictor: Any, open_page: Open) -> None:
    class AnotherKind:
        decide, explain = predictor.decide, predictor.explain

    page = open_page(proxy(predictor=AnotherKind()))
    hint = "The model cannot be had, so nothing can be tried here: no model file decides here now"
    expect(page.get_by_role("region", name="Try a prompt")).to_contain_text(hint)
    expect(page.get_by_role("textbox", name="Prompt")).to_be_disabled()


def test_all_of_it_can_be_reached_by_keyboard(running: Running, open_page: Open) -> None:
    ask(running, ASK_CHEAP)
    running.rows()
    page = open_page(running)
    expect(page.get_by_role("textbox", name="Prompt")).to_be_enabled()
    reached: list[str] = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached[0] == "Skip to the figures"
    assert reached[1:4] == ["condition", "These figures as a table", "prompt"]
    assert reached[4].startswith("What is the capital")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="What is the capital of France?").press("Enter")
    expect(page.locator("#verdict")).to_contain_text("Cheap")


def test_landmarks_headings_and_controls_have_names(running: Running, open_page: Open) -> None:
    ask(running, ASK_CHEAP)
    page = open_page(running)
    expect(page.get_by_role("region", name="Spent today")).to_be_visible()
    tree = page.locator("body").aria_snapshot()
    for part in ("banner", "main", "contentinfo", 'heading "Tierwise" [level=1]', 'textbox "Prompt"'):
        assert part in tree
    regions = re.findall(r'region "([^"]+)"', tree)
    headings = re.findall(r'heading "([^"]+)" \[level=2\]', tree)
    assert regions == headings
    assert len(regions) == 8
    assert re.findall(r"^\s*- (?:button|link|textbox)\s*:?$", tree, re.MULTILINE) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 1100])
def test_it_fits_its_window_in_either_colour_scheme(
    proxy: MakeProxy, open_page: Open, width: int, dark: bool
) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 20.0}}, prices={LONG: 0.1})
    for messages in (ASK_CHEAP, ASK_PREMIUM):
        ask(running, messages)
    ask(running, ASK_CHEAP, model=LONG)
    running.rows()
    page = open_page(running, width=width, dark=dark)
    box = page.get_by_role("textbox", name="Prompt")
    expect(box).to_be_enabled()
    box.fill("Prove that " + "w" * 300)
    page.get_by_text("These figures as a table").click()
    expect(page.locator(".odds")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CONTRAST) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 150) is dark


OVERFLOWING = """
() => [...document.querySelectorAll(".card")].flatMap((card) => {
  const edge = card.getBoundingClientRect().right;
  const beyond = [...card.querySelectorAll("td, th, p, li, span")].filter(
    (each) => each.getBoundingClientRect().right > edge);
  return beyond.map((each) => each.textContent);
})
"""
CONTRAST = """
() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const own = getComputedStyle(node).backgroundColor;
    return (channels(own)[3] ?? 1) > 0 ? own : ground(node.parentElement);
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    if (!says || !node.checkVisibility() || node.closest("svg, noscript, .skip")) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push(`${node.className} ${node.textContent.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
"""


def test_it_survives_the_proxys_restart_and_says_how_old_its_figures_are(
    proxy: MakeProxy, open_page: Open
) -> None:
    first = proxy()
    page = open_page(first)
    expect(page.get_by_role("link", name="All is well")).to_be_visible()
    first.stop()
    notice = page.locator("#notice")
    expect(notice).to_have_text(
        "The proxy does not answer. What stands here is older. The page tries again by itself.",
        timeout=NEXT_LOOK,
    )
    expect(page.get_by_role("link", name="No answer")).to_be_visible()
    expect(page.locator("#age")).to_have_text(re.compile(r"Figures of \d+ s ago"))
    proxy(serve={"proxy": {"port": first.port}}, state_url=first.state_url)
    expect(page.get_by_role("link", name="All is well")).to_be_visible(timeout=NEXT_LOOK)
    expect(notice).to_have_text("")


def test_nothing_is_asked_while_nobody_looks(running: Running, open_page: Open) -> None:
    page = open_page(running)
    expect(page.get_by_role("link", name="All is well")).to_be_visible()
    page.evaluate(HIDE, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert asked == []
    page.evaluate(HIDE, False)
    page.wait_for_timeout(500)
    assert asked[0].endswith("/v1/overview")


HIDE = """
(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


def test_a_database_that_is_down_is_told_and_the_rest_is_shown(running: Running, open_page: Open) -> None:
    ask(running, ASK_CHEAP)
    running.rows()
    desk = running.service.desk
    assert desk is not None
    desk.books.state.database.close()
    with open(running.state_url.removeprefix("sqlite:///"), "r+b") as file:  # noqa: PTH123
        file.write(b"no database any more")
    page = open_page(running)
    expect(page.locator("#notice")).to_contain_text(
        "The database does not answer: today's figures are missing"
    )
    expect(page.get_by_role("region", name="Spent today")).to_contain_text("nobody can say")
    decisions = page.get_by_role("region", name="Recent decisions").get_by_role("listitem")
    expect(decisions).to_have_count(1)
