"""What a member's stream says while a slot lives: the button in full, the circle, the slot."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import takewhile
from typing import Any

from circle27.stack.supervision import wait_until
from tests.life import BUTTON, Campus, Person
from tests.realtime.test_stream import EVENT_STREAM, events

Heard = Iterator[tuple[str, dict[str, Any]]]


@contextmanager
def stream(person: Person) -> Iterator[Heard]:
    """Hold a member's stream, from a second on in which nothing was published.

    nchan 1.3.6 may stop telling one channel's events when the other's were published in the very second of the
    connection. A client that misses an event asks once (it knows changesAt); a test would wait in vain.
    """
    outbox = "select count(*) = 0 from events.outbox"
    wait_until(lambda: person.stack.sql(outbox) == [(True,)], 10, "the outbox was not emptied")
    published = int(time.time())
    wait_until(lambda: int(time.time()) > published, 3, "time stood still")
    headers = {**EVENT_STREAM, "Authorization": f"Bearer {person.token}"}
    with person.stack.http.stream("GET", "/realtime/v1/stream", headers=headers, timeout=10) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines).startswith(":")  # nchan's greeting
        yield events(lines)


def hears(heard: Heard, event: str, slot: str, **facts: Any) -> dict[str, Any]:
    """Return the next event of this kind about this slot that says so; pass over all others."""
    return hears_all(heard, slot, {event: facts})[event]


def hears_all(heard: Heard, slot: str, wanted: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return one event of each kind, in whatever order they come: order is kept within a channel, not between two."""
    found: dict[str, dict[str, Any]] = {}
    for name, said in heard:
        if (
            name in wanted
            and name not in found
            and datetime.fromisoformat(said["timeSlot"]) == datetime.fromisoformat(slot)
            and wanted[name].items() <= said.items()
        ):
            found[name] = said
        if found.keys() == wanted.keys():
            break
    return found


def test_joining_and_leaving_tell_the_button_in_full(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    with stream(ann) as heard:
        joined = ann.gets("join_waitlist", p_time_slot=campus.slot)
        assert hears(heard, "button", campus.slot, buttonState="leave") == joined
        assert joined == ann.button(campus.slot)
        left = ann.rest("DELETE", f"waitlist_entries?user_id=eq.{ann.user_id}")
        assert left.status_code == 204
        assert hears(heard, "button", campus.slot, buttonState="join") == ann.button(campus.slot)


def test_a_call_that_changed_nothing_tells_nothing(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    with stream(ann) as heard:
        for _ in range(3):
            ann.gets("join_waitlist", p_time_slot=campus.slot)
        ann.gets("join_waitlist", p_time_slot=campus.slots[2])
        buttons = (said for name, said in heard if name == "button")
        versions = {said["version"] for said in takewhile(lambda said: said["timeSlot"] == campus.slot, buttons)}
        assert len(versions) == 1


def test_a_matching_tells_slot_button_and_circle(campus: Campus) -> None:
    ann, bob, cleo = people = campus.members("Ann", "Bob", "Cleo")
    (dan,) = campus.members("Dan")
    for member in people:
        member.gets("join_waitlist", p_time_slot=campus.slot)
    with stream(ann) as anns, stream(dan) as dans:
        campus.match()
        said = hears_all(
            anns,
            campus.slot,
            {"slot": {"slotStatus": "matched"}, "button": {"buttonState": "confirmed"}, "circle": {}},
        )
        slot, button, circle = said["slot"], said["button"], said["circle"]
        assert {"timeSlot", "deadlineAt", "endsAt", "slotStatus", "joined", "version"} == set(slot)
        assert [button[key] for key in BUTTON] == ["confirmed", "Confirmed ✓", "Confirmed at 1PM", False]
        assert button == ann.button(campus.slot)
        assert button["version"] == slot["version"]
        assert circle == bob.gets("my_circle", p_time_slot=campus.slot)
        assert [mate["userId"] for mate in circle["members"]] == [ann.user_id, bob.user_id, cleo.user_id]
        # Who is not on the list hears of the slot, and of nobody's circle or button.
        channel = f"campus:{campus.campus_id}"
        campus.stack.sql("select app.emit(%s, %s, 'slot', '{\"last\": true}')", campus.campus_id, channel)
        names = {name for name, _ in takewhile(lambda event: "last" not in event[1], dans)}
        assert "slot" in names
        assert not {"button", "circle"} & names


def test_who_is_left_out_hears_why(campus: Campus) -> None:
    (ann,) = campus.members("Ann")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    with stream(ann) as heard:
        campus.match()
        said = hears_all(heard, campus.slot, {"button": {"slotStatus": "matched"}, "circle": {}})
        assert (said["button"]["buttonState"], said["button"]["pending"]) == ("past", False)
        assert (said["circle"]["circleNo"], said["circle"]["reason"]) == (None, "no_circle_formed")


def test_a_cancelling_reaches_everyone(campus: Campus) -> None:
    olga = campus.member("Olga", operator=True)
    ann, dan = campus.members("Ann", "Dan")
    ann.gets("join_waitlist", p_time_slot=campus.slot)
    with stream(ann) as anns, stream(dan) as dans:
        olga.gets("cancel_time_slot", p_time_slot=campus.slot)
        assert hears(dans, "slot", campus.slot, slotStatus="cancelled")
        button = hears(anns, "button", campus.slot, slotStatus="cancelled")
        assert button == ann.button(campus.slot)
        assert button["buttonState"] == "past"


def test_feedback_changes_the_button_on_every_device(campus: Campus) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    campus.at(minutes=20)
    with stream(ann) as first, stream(ann) as second:
        given = ann.gets("submit_feedback", p_time_slot=campus.slot, p_rating=5)
        for device in (first, second):
            assert hears(device, "button", campus.slot, buttonState="past", slotStatus="ended") == given
