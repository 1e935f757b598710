"""Pages in a real browser: Debian's Chromium without a window. What it writes to its console fails the test."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.life import Campus, Person, new_campus
from tests.stack import Stack, running_stack

expect.set_options(timeout=10_000)
HERE = Path(__file__).parent
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
OFFLINE = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED", "net::ERR_NETWORK_CHANGED")
# Random waits become short ones, so that a test does not wait for what spreads a thousand devices.
HURRY = "Math.random = () => 0.05"


@dataclass
class Visitor:
    """Somebody in front of a page of the stack."""

    page: Page
    context: BrowserContext
    shots: Path
    forgiven: list[str] = field(default_factory=list)  # parts of console messages that belong to the test
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # paths of the calls

    def open(self, path: str = "/") -> None:
        self.page.goto(path)

    def card(self, hour: str) -> Any:
        return self.page.locator(".card").filter(has=self.page.get_by_role("heading", name=hour, exact=True))

    def button(self, hour: str) -> Any:
        return self.card(hour).locator(".card-main").get_by_role("button")

    def sees(self, hour: str, words: str) -> None:
        """Wait until the button of a slot says this."""
        expect(self.button(hour).locator(".text")).to_have_text(words)

    def badge(self, words: str) -> None:
        expect(self.page.locator("#badge")).to_have_text(words)

    def tell_badges(self) -> None:
        """Have the page say each badge on its console: one that is there for some milliseconds is not missed."""
        self.forgiven.append("info: ")
        self.page.evaluate(
            "() => new MutationObserver(([{ target }]) => console.info(target.textContent))"
            ".observe(document.querySelector('#badge'), { childList: true })"
        )

    def photograph(self, name: str) -> None:
        """Keep a picture as an artefact, once what moves has come to rest."""
        self.page.screenshot(path=self.shots / f"{name}.png", animations="disabled")

    def accessible(self) -> None:
        """See that axe-core, with all rules of WCAG 2.2 AA, finds nothing."""
        self.page.evaluate((HERE / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)["violations"]
        assert not found, "\n".join(f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found)


@pytest.fixture(scope="session")
def page_stack() -> Iterator[Stack]:
    """A stack whose clock is turned."""
    yield from running_stack()


@pytest.fixture
def campus(page_stack: Stack) -> Iterator[Campus]:
    yield from new_campus(page_stack)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of one file: while it runs, no other test of this process can use asyncio."""
    chromium = shutil.which("chromium")
    assert chromium, "stack/setup.sh installs chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where pictures are kept, for people to look at: tests/browser/shots/."""
    folder = HERE / "shots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def visit(page_stack: Stack, browser: Browser, shots: Path) -> Iterator[Callable[..., Visitor]]:
    """Make visitors, each with a browser of their own; `member` is signed in. At the end nobody's console complains."""
    visitors: list[Visitor] = []
    with ExitStack() as opened:

        def make(member: Person | None = None, **options: Any) -> Visitor:
            context = browser.new_context(
                base_url=page_stack.settings.url("gateway"),
                locale="en-US",
                reduced_motion="reduce",
                **(options or DESKTOP),
            )
            opened.callback(context.close)
            context.set_default_timeout(15_000)
            context.add_init_script(HURRY)
            page = context.new_page()
            visitor = Visitor(page, context, shots)
            page.on("console", lambda line: visitor.said.append(f"{line.type}: {line.text} {line.location['url']}"))
            page.on("pageerror", lambda error: visitor.said.append(f"error: {error}"))
            page.on("request", lambda request: visitor.asked.append(request.url.partition("/rpc/")[2]))
            if member is not None:
                sign_in(context, page_stack, member)
            visitors.append(visitor)
            return visitor

        yield make
        for visitor in visitors:
            assert not [line for line in visitor.said if not any(part in line for part in visitor.forgiven)]


def sign_in(context: BrowserContext, stack: Stack, member: Person) -> None:
    """Put a session into the browser's storage, as web/circle27.js keeps it after signing in."""
    claims = stack.sql("select campus_id from app.user_campuses where user_id = %s", member.user_id)
    session = {
        "accessToken": member.token,
        "refreshToken": "none",
        "userId": member.user_id,
        "campusId": claims[0][0],
        "timeZone": "America/Los_Angeles",
        "renewAt": (time.time() + 3000) * 1000,
    }
    kept = json.dumps(json.dumps(session))
    context.add_init_script(f"""
        if (location.protocol !== 'about:' && !localStorage.getItem('seeded')) {{
          localStorage.setItem('seeded', '1');
          localStorage.setItem('circle27.session', {kept});
        }}
    """)
