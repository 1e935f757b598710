"""What operators see, the description of the API, and the pages that only a local stack has."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.life import Campus

Visit = Callable[..., Visitor]


@pytest.mark.parametrize(("device", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_the_day_in_numbers(campus: Campus, visit: Visit, device: dict[str, object], scheme: str) -> None:
    olga = campus.member("Olga", operator=True)
    campus.matched("Ann", "Ben", "Cleo", "Dan")
    late = campus.member("Eve")
    late.gets("join_waitlist", p_time_slot=campus.slots[2])
    watching = visit(late)
    watching.open()
    watching.badge("Live")

    at_desk = visit(olga, **device, color_scheme=scheme)
    page = at_desk.page
    at_desk.open("/operator")
    two = page.locator(".slot").filter(has=page.get_by_role("heading", name="2 PM"))
    expect(two).to_contain_text("matched")
    expect(two).to_contain_text(re.compile(r"On the list4.*Circles1.*Left out0.*Pairs who had met0.*At least0.*Cost0"))
    expect(two.get_by_role("img")).to_have_accessible_name(re.compile("4 on the list for 2 PM"))
    five = page.locator(".slot").filter(has=page.get_by_role("heading", name="5 PM"))
    expect(five).to_contain_text(re.compile("open.*On the list1", re.S))
    held = page.locator(".tile").filter(has_text="Held streams").locator(".value")
    assert int(held.inner_text()) >= 1
    expect(page.get_by_role("row", name=re.compile("^user"))).to_be_visible()

    page.get_by_role("button", name="Why these circles for 2 PM?").click()
    why = page.get_by_role("region", name="2 PM: circle 1 of 1")
    expect(why).to_contain_text("Ann, Ben, Cleo, Dan")
    expect(why.get_by_role("listitem").first).to_have_text(re.compile("^4 of the 4 people on the list sit in circles"))
    expect(why).to_contain_text("None of these 4 had met before.")
    with page.expect_response(re.compile("rpc/operator_day")):  # it stays while the numbers change
        pass
    expect(why).to_be_visible()
    at_desk.accessible()
    at_desk.photograph(f"operator-{'phone' if device is PHONE else 'desktop'}")

    page.get_by_role("button", name="The day before").click()
    expect(page.get_by_text("No meetups on this day.")).to_be_visible()


def test_a_member_sees_none_of_it(campus: Campus, visit: Visit) -> None:
    ann = visit(campus.member("Ann"))
    ann.forgiven.append("403")
    ann.open("/operator")
    expect(ann.page.get_by_role("alert")).to_contain_text("This is for operators of the campus only")
    expect(ann.page.locator("#shown")).to_be_hidden()


def test_the_description_of_the_api(campus: Campus, visit: Visit) -> None:
    ann = visit(campus.member("Ann"))
    hosts = set()
    ann.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    ann.open("/docs")
    expect(
        ann.page.locator(
            "#operations-\\(rpc\\)_join_waitlist-post_rpc_join_waitlist, [data-path='/rpc/join_waitlist']"
        ).first
    ).to_be_visible()
    ann.photograph("docs")
    assert hosts == {urlsplit(campus.stack.settings.url("gateway")).netloc}, "no other site hears of it"


def test_the_panel_turns_the_clock(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    at_home = visit(ann, **PHONE)
    page = at_home.page
    at_home.open()
    at_home.sees("11 AM", "Join")
    page.get_by_text("Local clock").click()
    at_home.photograph("panel")
    at_home.accessible()
    page.get_by_role("button", name="To 5 s before a deadline").click()
    expect(page.locator("#clock")).to_have_text(re.compile(r"^9:59:5\d AM$"))
    at_home.sees("11 AM", "Past")  # five seconds later
    page.get_by_role("button", name="+1 hour").click()
    expect(page.locator("#clock")).to_have_text(re.compile(r"^11:00:\d\d AM$"))


def test_the_panel_plays_a_day(campus: Campus, visit: Visit) -> None:
    people = campus.members("Ann", "Ben", "Cleo")
    for person in people:
        person.gets("join_waitlist", p_time_slot=campus.slots[0])
    at_home = visit(people[0])
    # The play, without its waits: what it comes to is the same.
    at_home.context.add_init_script(
        "const real = setTimeout; window.setTimeout = (f, ms, ...more) => real(f, ms / 4, ...more)"
    )
    at_home.open()
    at_home.page.get_by_text("Local clock").click()
    at_home.page.get_by_role("button", name="Play the day").click()
    at_home.sees("11 AM", "Confirmed ✓")
    at_home.page.get_by_role("button", name="Stop").click()
    now = campus.nobody.gets("time_slots", p_campus_id=campus.campus_id)
    shown = campus.stack.sql("select app.clock()")[0][0]
    deadline = datetime.fromisoformat(now["slots"][0]["deadlineAt"])
    assert deadline <= shown < deadline + timedelta(hours=2)


def test_the_mailbox_shows_the_code(campus: Campus, visit: Visit) -> None:
    address = f"ann@{campus.campus_id}.edu"
    mailbox = visit()
    mailbox.open("/mailbox")
    campus.nobody.gets("request_login_code", p_email=address)
    mail = mailbox.page.locator(".mail").filter(has_text=address)
    expect(mail.locator("code")).to_have_text(campus.stack.mailed_code(address))
    mailbox.accessible()
    mailbox.photograph("mailbox")
