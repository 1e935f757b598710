"""A member's day on the page, from signing in to feedback."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.life import Campus

Visit = Callable[..., Visitor]


@pytest.mark.parametrize(
    ("device", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone, light", "desktop, dark"]
)
def test_the_day_from_login_to_feedback(campus: Campus, visit: Visit, device: dict[str, object], scheme: str) -> None:
    name = f"{'phone' if device is PHONE else 'desktop'}-{scheme}"
    ann = visit(**device, color_scheme=scheme)
    page = ann.page

    ann.open()
    ann.accessible()
    ann.photograph(f"{name}-1-sign-in")
    signs_in(ann, campus)
    for hour in ("11 AM", "2 PM", "5 PM"):
        ann.sees(hour, "Join")

    ann.button("2 PM").click()
    ann.sees("2 PM", "Can't Go")
    expect(ann.card("2 PM")).to_contain_text("on the list")
    ann.button("2 PM").click()
    ann.sees("2 PM", "Join")
    ann.button("2 PM").click()
    ann.sees("2 PM", "Can't Go")
    ann.accessible()
    ann.photograph(f"{name}-2-joined")

    for other, full_name in zip(campus.members("Ben", "Cleo"), ("Ben Okafor", "Cleo Marsh"), strict=True):
        other.gets("update_profile", p_display_name=full_name)
        other.gets("join_waitlist", p_time_slot=campus.slot)
    campus.at(hours=-1, seconds=-1.5)  # the deadline comes by itself
    ann.sees("2 PM", "Confirmed ✓")
    ann.sees("11 AM", "Past")
    expect(page.locator("#announcer")).to_contain_text("2 PM meetup: Confirmed ✓")
    expect(ann.card("2 PM").get_by_role("listitem")).to_have_text(
        [re.compile("Ben Okafor"), re.compile("Cleo Marsh"), re.compile(r"\(you\)")]
    )
    ann.accessible()
    ann.photograph(f"{name}-3-confirmed")

    campus.at(minutes=20, seconds=-1)  # so does the end
    ann.sees("2 PM", "Feedback >")
    ann.button("2 PM").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="4 of 5").check(force=True)
    page.get_by_role("group", name="Ben Okafor").get_by_role("radio", name="Meet again").check(force=True)
    page.get_by_role("group", name="Cleo Marsh").get_by_role("radio", name=re.compile("come$")).check(force=True)
    page.get_by_label("Anything to add?").fill("Twenty minutes are short")
    ann.accessible()
    ann.photograph(f"{name}-4-feedback")
    page.get_by_role("button", name="Send").click()
    ann.sees("2 PM", "Past")
    expect(page.get_by_role("dialog")).to_have_count(0)
    ann.accessible()

    given = campus.stack.sql("select rating, comment from app.feedback where campus_id = %s", campus.campus_id)
    about = campus.stack.sql(
        "select meet_again, no_show from app.feedback_about where campus_id = %s order by no_show", campus.campus_id
    )
    assert given == [(4, "Twenty minutes are short")]
    assert about == [(True, False), (None, True)]


def signs_in(ann: Visitor, campus: Campus) -> None:
    """With the keyboard alone."""
    address = f"ann@{campus.campus_id}.edu"
    ann.page.get_by_label("Your campus e-mail").fill(address)
    ann.page.keyboard.press("Enter")
    expect(ann.page.get_by_label("six digits")).to_be_focused()
    ann.accessible()
    ann.page.keyboard.type(campus.stack.mailed_code(address))
    ann.page.keyboard.press("Enter")
    ann.badge("Live")


def test_who_mistypes_is_told(campus: Campus, visit: Visit) -> None:
    ann = visit()
    ann.forgiven.append("422")
    ann.open()
    ann.page.get_by_label("Your campus e-mail").fill("ann@nowhere.example")
    ann.page.get_by_role("button", name="Send me a code").click()
    expect(ann.page.get_by_role("alert")).to_contain_text("No campus has this e-mail domain")
    ann.page.get_by_label("Your campus e-mail").fill(f"ann@{campus.campus_id}.edu")
    ann.page.get_by_role("button", name="Send me a code").click()
    ann.page.get_by_label("six digits").fill("000000")
    ann.page.get_by_role("button", name="Sign in").click()
    expect(ann.page.get_by_role("alert")).to_contain_text("The login code does not count")


def test_who_is_alone_hears_why(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    at_home = visit(ann)
    at_home.open()
    at_home.button("2 PM").click()
    at_home.sees("2 PM", "Can't Go")
    campus.at(hours=-1, seconds=-0.5)
    at_home.sees("2 PM", "Past")
    expect(at_home.card("2 PM")).to_contain_text("Too few people came")


def test_a_name_is_changed_and_a_session_left(campus: Campus, visit: Visit) -> None:
    (ann,) = campus.members("Ann")
    at_home = visit(ann)
    at_home.open()
    at_home.page.get_by_role("button", name="Ann, your account").click()
    at_home.page.get_by_label("The name that your circle sees").fill("Anna Lee")
    at_home.accessible()
    at_home.page.get_by_role("button", name="Save").click()
    at_home.page.get_by_role("button", name="Anna Lee, your account").click()
    at_home.page.get_by_role("button", name="Sign out").click()
    expect(at_home.page.get_by_label("Your campus e-mail")).to_be_visible()
    assert ann.refused("my_profile") == (401, "session_over")


def test_nothing_that_a_member_writes_is_run(campus: Campus, visit: Visit) -> None:
    people = campus.members("Mallory", "Ben", "Cleo")
    people[0].gets("update_profile", p_display_name="<img src=x onerror=alert(1)>")
    for person in people:
        person.gets("join_waitlist", p_time_slot=campus.slot)
    ben = visit(people[1])
    ben.open()
    campus.match()
    ben.sees("2 PM", "Confirmed ✓")
    expect(ben.card("2 PM")).to_contain_text("<img src=x onerror=alert(1)>")
