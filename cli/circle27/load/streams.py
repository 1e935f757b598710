"""What the held streams of a run heard, beside what was acknowledged to those who hold them."""

from collections.abc import Sequence
from typing import Any

from circle27.load.deadline_rush import KEYS, final_message, spread
from circle27.load.ground import Change, Member, Slot, instant
from circle27.load.samples import Sample
from circle27.load.watcher import Heard


def broadcast(
    samples: Sequence[Sample], began: float, heard: Sequence[Sequence[Heard]], seconds: float
) -> dict[str, Any]:
    """Return how long after its sending each acknowledged change was told to its member's stream, and what all heard.

    A change counts as heard when a button of that slot comes whose version is not older.
    """
    buttons = [
        [
            (message.at, instant(message.payload["timeSlot"]), message.payload["version"])
            for message in said
            if message.event == "button"
        ]
        for said in heard
    ]
    delays, unheard = [], 0
    for sample in samples:
        if sample.version and sample.member < len(buttons):
            slot = instant(sample.slot)
            at = next(
                (at for at, of, version in buttons[sample.member] if of == slot and version >= sample.version), None
            )
            if at is None:
                unheard += 1
            else:
                delays.append(at - began - sample.at)
    messages = sum(map(len, heard))
    return {
        "streams": len(heard),
        "changes": len(delays) + unheard,
        "unheard": unheard,
        **spread(delays),
        "messages": messages,
        "messages_per_second": round(messages / seconds, 1) if seconds else 0,
    }


def deadline(
    slot: Slot,
    members: Sequence[Member],
    heard: Sequence[Sequence[Heard]],
    changes: Sequence[Change],
    truth: dict[str, dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Return what a deadline was like for those who hold a stream, and when each knew the new button."""
    on_list = {change.user_id for change in changes if change.joined and change.time_slot == slot.time_slot}
    curves: dict[str, list[float]] = {"on the list": [], "watching": []}
    unheard = wrong = 0
    for member, said in zip(members, heard, strict=True):
        joined = member.user_id in on_list
        message = final_message(said, slot, joined)
        if message is None:
            unheard += 1
            continue
        curves["on the list" if joined else "watching"].append(message.at - slot.deadline)
        wrong += joined and any(message.payload[key] != truth[member.user_id][key] for key in KEYS)
    figures = spread([second for curve in curves.values() for second in curve])
    if unheard:
        figures.pop("max_s", None)  # nobody knows when the last one will
    return {**figures, "wrong": wrong, "unheard": unheard, "on_list": len(on_list)}, curves
