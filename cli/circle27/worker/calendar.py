"""A meeting as a calendar's entry (RFC 5545). Its facts come from app.circle_mail() in SQL; icalendar writes it down.

Escaping, folding at 75 octets and line ends are the library's: there are many ways to get them almost right.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar, Event, vCalAddress


def plain(text: str) -> str:
    """Return one line without control characters: what people are called must not become a line of its own."""
    return " ".join("".join(" " if not character.isprintable() else character for character in text).split())


def calendar(
    event: Mapping[str, Any], mates: Sequence[str], spot: str | None, organizer: str, now: datetime
) -> tuple[str, bytes]:
    """Return method (PUBLISH or CANCEL, RFC 5546) and text of one meeting; `event` as app.circle_mail() has it."""
    cancelled = event["status"] == "CANCELLED"
    entry = Event()
    entry.add("uid", event["uid"])
    entry.add("dtstamp", now.astimezone(UTC))
    entry.add("dtstart", datetime.fromisoformat(event["startsAt"]).astimezone(UTC))
    entry.add("dtend", datetime.fromisoformat(event["endsAt"]).astimezone(UTC))
    entry.add("sequence", event["sequence"])
    entry.add("status", event["status"])
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"))  # both methods ask for it
    names = [plain(mate) for mate in mates]
    entry.add("summary", f"Circle with {', '.join(names)}" if names else "Circle")
    if spot:
        entry.add("location", plain(spot))
    if names:
        entry.add("description", "\n".join(["You meet:", *names]))
    made = Calendar()
    made.add("prodid", "-//Circle27//Circle27//EN")
    made.add("version", "2.0")
    method = "CANCEL" if cancelled else "PUBLISH"
    made.add("method", method)
    made.add_component(entry)
    return method, made.to_ical()
