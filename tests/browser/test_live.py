"""What changes while the page is open: on two devices, without a network, without streams."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import OFFLINE, PHONE, Visitor
from tests.life import Campus

Visit = Callable[..., Visitor]
STREAM = "**/realtime/**"


def test_two_browsers_at_once(campus: Campus, visit: Visit) -> None:
    ann, ben, cleo, dan = campus.members("Ann", "Ben", "Cleo", "Dan")
    phone, desktop, bens, dans = visit(ann, **PHONE), visit(ann), visit(ben), visit(dan)
    for visitor in (phone, desktop, bens, dans):
        visitor.open()
        visitor.badge("Live")

    phone.button("2 PM").click()
    for visitor in (phone, desktop):
        visitor.sees("2 PM", "Can't Go")
    bens.sees("2 PM", "Join")
    bens.button("2 PM").click()
    bens.sees("2 PM", "Can't Go")
    cleo.gets("join_waitlist", p_time_slot=campus.slot)

    campus.at(hours=-1, seconds=-3)
    expect(dans.card("2 PM")).to_contain_text("s left")  # the clock is there
    for visitor in (phone, desktop, bens, dans):
        visitor.asked.clear()
    for visitor in (phone, desktop, bens):
        visitor.sees("2 PM", "Confirmed ✓")
        expect(visitor.card("2 PM").get_by_role("listitem")).to_have_count(3)
    dans.sees("2 PM", "Past")
    expect(dans.card("2 PM")).to_contain_text("Closed at 1PM")
    for visitor in (phone, desktop, bens, dans):
        assert [call for call in visitor.asked if call.startswith("get_button")] == [], "messages say all: nobody asks"


def test_offline_and_back(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    at_home = visit(ann)
    at_home.forgiven.extend(OFFLINE)
    at_home.open()
    at_home.badge("Live")

    at_home.context.set_offline(True)
    at_home.badge("Reconnecting…")
    ann.gets("join_waitlist", p_time_slot=campus.slot)  # on another device
    at_home.sees("2 PM", "Join")
    at_home.photograph("offline")

    at_home.context.set_offline(False)
    at_home.badge("Live")
    at_home.sees("2 PM", "Can't Go")


def test_where_streams_are_impossible_it_polls(campus: Campus, visit: Visit) -> None:
    people = campus.members("Ann", "Ben", "Cleo")
    for person in people:
        person.gets("join_waitlist", p_time_slot=campus.slot)
    at_home = visit(people[0])
    at_home.forgiven.extend(OFFLINE)
    at_home.context.route(STREAM, lambda route: route.abort())
    campus.at(hours=-1, seconds=-6)
    at_home.open()
    at_home.badge("Polling")
    at_home.sees("2 PM", "Can't Go")
    at_home.asked.clear()
    at_home.sees("2 PM", "Confirmed ✓")
    assert len([call for call in at_home.asked if call.startswith("get_button_states")]) <= 3


def test_an_event_that_is_late_is_asked_for_once(campus: Campus, visit: Visit) -> None:
    """The stream is open, but says nothing more: the answer comes two seconds after the deadline."""
    people = campus.members("Ann", "Ben", "Cleo")
    for person in people:
        person.gets("join_waitlist", p_time_slot=campus.slot)
    at_home = visit(people[0])

    # A stream that stays open without a word: the page's own fetch, answered by a body that never ends.
    at_home.context.add_init_script(r"""
        const real = window.fetch;
        const mute = new ReadableStream({ start(body) { body.enqueue(new TextEncoder().encode(': hi\n\n')); } });
        window.fetch = (url, ...rest) => (
          String(url).includes('/realtime/') ? Promise.resolve(new Response(mute)) : real(url, ...rest)
        );
    """)
    campus.at(hours=-1, seconds=-3)
    at_home.open()
    at_home.badge("Live")
    at_home.asked.clear()
    expect(at_home.card("2 PM")).to_contain_text("Matching…")
    expect(at_home.button("2 PM")).to_be_disabled()
    at_home.sees("2 PM", "Confirmed ✓")
    assert [call for call in at_home.asked if call.startswith("get_button_states")] == ["get_button_states?"]


def test_a_session_is_renewed_and_its_end_is_noticed(campus: Campus, visit: Visit) -> None:
    ann = visit()
    ann.forgiven.append("401")
    ann.open()
    address = f"ann@{campus.campus_id}.edu"
    ann.page.get_by_label("Your campus e-mail").fill(address)
    ann.page.get_by_role("button", name="Send me a code").click()
    ann.page.get_by_label("six digits").fill(campus.stack.mailed_code(address))
    ann.page.get_by_role("button", name="Sign in").click()
    ann.badge("Live")

    def session() -> Any:
        return ann.page.evaluate("JSON.parse(localStorage.getItem('circle27.session'))")

    before = session()
    ann.page.evaluate("""
        const session = JSON.parse(localStorage.getItem('circle27.session'));
        localStorage.setItem('circle27.session', JSON.stringify({ ...session, renewAt: 0 }));
    """)
    ann.open()
    ann.badge("Live")
    assert session()["refreshToken"] != before["refreshToken"]
    assert ann.asked.count("refresh_session") == 1

    campus.stack.rpc("sign_out_everywhere", token=session()["accessToken"])
    expect(ann.page.get_by_label("Your campus e-mail")).to_be_visible()
    assert session() is None


def test_circle_mates_come_and_go(campus: Campus, visit: Visit) -> None:
    ann, ben, _cleo = campus.matched("Ann", "Ben", "Cleo")
    anns, bens = visit(ann), visit(ben)
    anns.open()
    anns.badge("Live")
    mate = anns.card("2 PM").get_by_role("listitem").filter(has_text="Ben")
    expect(mate).to_have_text(re.compile("Ben$"))
    bens.open()
    bens.badge("Live")
    expect(mate).to_have_text(re.compile("Ben, online$"))
    expect(bens.card("2 PM").get_by_role("listitem").filter(has_text="Ann")).to_have_text(re.compile(", online$"))
    anns.photograph("presence")
    bens.page.close()
    expect(mate).to_have_text(re.compile("Ben$"))

    # What is missed without a network is asked for after it.
    anns.forgiven.extend(OFFLINE)
    anns.context.set_offline(True)
    anns.badge("Reconnecting…")
    again = visit(ben)
    again.open()
    again.badge("Live")
    anns.context.set_offline(False)
    expect(mate).to_have_text(re.compile("Ben, online$"))


def test_a_place_is_given_up_and_the_others_see_it(campus: Campus, visit: Visit) -> None:
    ann, ben, *_ = campus.matched("Ann", "Ben", "Cleo")
    anns, bens = visit(ann, **PHONE), visit(ben)
    for visitor in (anns, bens):
        visitor.open()
        visitor.badge("Live")
    link = anns.card("2 PM").get_by_role("button", name=re.compile("I can.t come"))
    link.click()
    anns.accessible()
    anns.photograph("give-up")
    anns.page.get_by_role("button", name="Keep my place").click()
    anns.sees("2 PM", "Confirmed ✓")
    link.click()
    anns.page.get_by_role("button", name="Give it up").click()
    anns.sees("2 PM", "Past")
    expect(anns.card("2 PM").get_by_role("listitem")).to_have_count(0)
    expect(bens.card("2 PM").get_by_role("listitem")).to_have_count(2)
    expect(bens.card("2 PM").locator(".news")).to_have_text(re.compile("Somebody can.t come. You are fewer than usual"))
    bens.accessible()
    bens.photograph("below-minimum")

    campus.at(seconds=-1)
    expect(bens.card("2 PM")).to_contain_text(re.compile("You.re meeting now"))
    expect(bens.card("2 PM").get_by_role("button", name=re.compile("I can.t come"))).to_be_hidden()


def test_a_stream_that_outlives_its_token_comes_back(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    at_home = visit(ann)
    at_home.open()
    at_home.badge("Live")
    at_home.tell_badges()
    with at_home.page.expect_console_message(lambda message: message.text == "Reconnecting…"):
        campus.stack.sql("update events.streams set expires_at = now() where user_id = %s", ann.user_id)
    at_home.badge("Live")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    at_home.sees("2 PM", "Can't Go")
    expect(at_home.card("2 PM")).to_contain_text(re.compile("You.re on the list · 1 on it"))


def test_mails_about_circles_can_be_switched_off(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    phone, desktop = visit(ann, **PHONE), visit(ann)
    for visitor in (phone, desktop):
        visitor.open()
        visitor.badge("Live")
        visitor.page.get_by_role("button", name="your account").click()
        expect(visitor.page.get_by_label("by e-mail")).to_be_checked()
    phone.accessible()
    phone.photograph("account")
    phone.page.get_by_label("by e-mail").uncheck()
    phone.page.get_by_role("button", name="Save").click()
    expect(desktop.page.get_by_label("by e-mail")).not_to_be_checked()
    assert ann.gets("my_profile")["circleMail"] is False
