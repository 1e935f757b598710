"""Mails about circles and the calendar's entry in them, against a real SMTP server, and read by another library."""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event, EventStatus

from circle27.worker.mail import Mail, Server, message
from tests.mail import test_mail
from tests.mail.test_mail import Inbox, due_now, send, waiting

inbox = test_mail.inbox
smtp = test_mail.smtp

SENDER = "Circle27 <no-reply@circle27.invalid>"
SPOT = "Library; front steps, 2nd \\ 3rd floor — " + "ü" * 60
FACTS: dict[str, Any] = {
    "event": {
        "uid": "1907528400-ann@stanford.circle27",
        "sequence": 0,
        "status": "CONFIRMED",
        "startsAt": "2030-06-12T21:00:00+00:00",
        "endsAt": "2030-06-12T21:20:00+00:00",
    },
    "slotCancelled": False,
    "day": "Wednesday, 12 June",
    "hour": "2PM",
    "spot": "Steps",
    "belowMinimum": False,
    "mates": ["Ben", "Cas"],
}


@pytest.fixture
def database(postgresql: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A clone in which Ann, Ben, Cas and Dan were matched an hour before they meet at a spot with an awkward name."""
    postgresql.autocommit = True
    postgresql.execute("select tests.create_member(name) from unnest('{ann,ben,cas,dan}'::text[]) as names (name)")
    postgresql.execute("select tests.create_slot('two', '14:00')")
    postgresql.execute("select tests.joined(name, 'two') from unnest('{ann,ben,cas,dan}'::text[]) as names (name)")
    postgresql.execute("select app.add_meeting_spot('stanford', 'steps', %s)", [SPOT])
    postgresql.execute(
        "update app.users set display_name = 'Ben; Bob, \"B\" \\n ' || %s where display_name = 'Ben'", ["é" * 50]
    )
    postgresql.execute("select tests.clock('13:00')")
    postgresql.execute("select app.match_time_slot('stanford', tests.slot('two'))")
    yield postgresql


def made_ready(database: psycopg.Connection, smtp: Server) -> None:
    """The pause is over, and the row that stands for a slot's mails was taken apart."""
    database.execute("update identity.mails set next_try_at = clock_timestamp() where kind = 'circles'")
    assert send(database, smtp) == 0
    due_now(database)


def text(mail: Message) -> str:
    """The words of a mail, without what is attached."""
    content = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


def attached(mail: Message) -> tuple[str, bytes]:
    """The calendar's method as the mail names it, and its octets."""
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    content = part.get_payload(decode=True)
    assert part.get_filename() == "circle.ics"
    assert isinstance(content, bytes)
    return str(part.get_param("method")), content


def entry(octets: bytes) -> Event:
    """The one event, as the second reader understands it."""
    (event,) = IcsCalendarStream.calendar_from_ics(octets.decode()).events
    return event


def well_formed(octets: bytes) -> list[str]:
    """Check lines, folds and line ends as RFC 5545 3.1 wants them; return the names of the properties."""
    assert octets.endswith(b"\r\n")
    lines = octets.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 for line in lines)
    for line in lines:
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
        line.decode()  # no fold within a character
    unfolded = octets.decode().replace("\r\n ", "").split("\r\n")[:-1]
    return [re.split("[:;]", line)[0] for line in unfolded]


def made(**facts: Any) -> tuple[str, bytes]:
    return attached(message(Mail(1, 1, "circle", "ann@stanford.edu", FACTS | facts), SENDER))


def to(inbox: Inbox, name: str) -> Message:
    (mail,) = [mail for mail in inbox.mails if mail["To"] == f"{name}@stanford.edu"]
    return mail


def cancel_place(database: psycopg.Connection, name: str) -> None:
    database.execute("select app.cancel_place('stanford', tests.member(%s), tests.slot('two'))", [name])


def test_everyone_in_a_circle_gets_it_for_the_calendar(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    assert send(database, smtp) == 0, "not in the second in which everybody hears of it by the stream"
    made_ready(database, smtp)
    assert send(database, smtp) == 4
    assert waiting(database) == []
    mail = to(inbox, "ann")
    assert mail["Subject"] == "Your circle on Wednesday, 12 June, 2PM"
    assert "You meet on Wednesday, 12 June, 2PM." in text(mail)
    assert f"Where: {SPOT}" in text(mail)
    method, octets = attached(mail)
    event = entry(octets)
    assert method == "PUBLISH"
    assert [str(event.dtstart), str(event.dtend)] == ["2030-06-12 21:00:00+00:00", "2030-06-12 21:20:00+00:00"]
    assert event.status == EventStatus.CONFIRMED
    assert event.sequence == 0
    assert event.location == SPOT, "commas, semicolons, backslashes and long lines arrive as they were"
    assert 'Ben; Bob, "B" \\n ' + "é" * 50 in str(event.summary)
    assert "ann@" not in octets.decode(), "no address of anybody"


def test_a_change_and_a_cancellation_are_versions_of_the_same_entry(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    made_ready(database, smtp)
    send(database, smtp)
    first = entry(attached(to(inbox, "ann"))[1])
    ben = entry(attached(to(inbox, "ben"))[1])
    inbox.mails.clear()
    cancel_place(database, "ben")
    made_ready(database, smtp)
    assert send(database, smtp) == 4
    changed = to(inbox, "ann")
    assert changed["Subject"].startswith("Changed: your circle")
    event = entry(attached(changed)[1])
    assert (event.uid, event.sequence, event.status) == (first.uid, 1, EventStatus.CONFIRMED)
    assert "Ben" not in text(changed) + str(event.summary)
    gone = to(inbox, "ben")
    method, octets = attached(gone)
    assert gone["Subject"].startswith("Cancelled: your circle")
    assert (method, entry(octets).uid, entry(octets).sequence) == ("CANCEL", ben.uid, 1)
    assert entry(octets).status == EventStatus.CANCELLED
    assert "Ann" not in text(gone) + octets.decode()
    inbox.mails.clear()
    database.execute("select app.cancel_time_slot('stanford', tests.slot('two'))")
    made_ready(database, smtp)
    assert send(database, smtp) == 3
    method, octets = attached(to(inbox, "ann"))
    assert (method, entry(octets).uid, entry(octets).sequence) == ("CANCEL", first.uid, 2)
    assert "was called off" in text(to(inbox, "ann"))


def test_what_changed_before_it_was_sent_is_told_once_and_as_it_is(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    cancel_place(database, "ben")
    cancel_place(database, "cas")
    made_ready(database, smtp)
    assert send(database, smtp) == 4
    assert "You are fewer than usual" in text(to(inbox, "ann"))
    assert entry(attached(to(inbox, "ann"))[1]).sequence == 2


def test_who_wants_no_mail_gets_none(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    """Not even the one that waits."""
    made_ready(database, smtp)
    database.execute("select app.update_profile('stanford', tests.member('ann'), null, null, false)")
    cancel_place(database, "ben")
    due_now(database)
    send(database, smtp)
    assert "ann@stanford.edu" not in inbox.recipients
    assert waiting(database) == []


def test_who_deletes_the_account_gets_none(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    database.execute("select identity.add_key('k', convert_to(repeat('s', 40), 'UTF8'))")
    database.execute("select app.delete_member('stanford', tests.member('ann'))")
    made_ready(database, smtp)
    send(database, smtp)
    assert sorted(inbox.recipients) == ["ben@stanford.edu", "cas@stanford.edu", "dan@stanford.edu"]
    assert all("Ann" not in text(mail) for mail in inbox.mails)


def test_a_login_code_overtakes_them(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    made_ready(database, smtp)
    test_mail.ask(database, "eva")
    send(database, smtp)
    assert inbox.recipients[0] == "eva@stanford.edu"


def test_properties_are_those_that_the_methods_ask_for() -> None:
    properties = ["UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "STATUS", "ORGANIZER", "SUMMARY"]
    method, octets = made()
    names = well_formed(octets)
    assert method == "PUBLISH"
    for name in ["VERSION", "PRODID", "METHOD", *properties, "LOCATION", "DESCRIPTION"]:
        assert names.count(name) == 1, name
    assert b"DTSTART:20300612T210000Z\r\n" in octets
    assert b"ATTENDEE" not in octets  # RFC 5546 forbids it in what is published
    method, octets = made(event=FACTS["event"] | {"status": "CANCELLED"}, mates=[], spot=None)
    names = well_formed(octets)
    assert method == "CANCEL"
    assert set(properties) <= set(names)
    assert "LOCATION" not in names


@given(spot=st.text(min_size=1, max_size=200), mates=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=4))
def test_no_name_breaks_out_of_its_line(spot: str, mates: list[str]) -> None:
    """The tables refuse control characters; the file does not rely on it."""
    _, octets = made(spot=f"{spot}\r\nSTATUS:CANCELLED", mates=[*mates, "x\r\nATTENDEE:mailto:evil@example.com\n"])
    names = well_formed(octets)
    assert "ATTENDEE" not in names
    assert names.count("STATUS") == 1
    event = entry(octets)
    assert event.status == EventStatus.CONFIRMED
    assert str(event.location).endswith("STATUS:CANCELLED")
