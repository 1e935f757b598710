"""What must hold, whatever was killed. Each rule gives the sentences in which it was broken."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tests.realtime.history.device import Device
from tests.realtime.history.faults import FROZEN_S
from tests.realtime.history.world import BUTTON, Said, World

GRACE_S = 0.5
# So long after a reload nginx's old process is gone, and with it the streams that it authorised last (decision 21): two
# seconds, and as long as the fault that freezes it lasts.
RELOAD_S = 3.5 + FROZEN_S
Truth = dict[tuple[str, datetime], dict[str, Any]]


def different(world: World, devices: Sequence[Device], truth: Truth) -> list[str]:
    """At the end every device shows what the database says."""
    return list(_different(world, devices, truth))


def _different(world: World, devices: Sequence[Device], truth: Truth) -> Iterator[str]:
    for device in devices:
        for slot in world.slots:
            shown = device.shows(slot.at)
            right = {key: truth[device.member.user_id, slot.at][key] for key in BUTTON}
            if shown is None or shown.button != right:
                yield f"{device.member.user_id} {slot.at}: shows {shown and shown.button}, the database says {right}"


def broken(world: World, devices: Sequence[Device], truth: Truth) -> list[str]:
    """Every rule, once all is quiet."""
    lists, matched_at, last_writes = world.lists(), world.matched_at(), world.last_writes()
    said = world.said()
    written = {message.number: (message.event, message.payload) for message in said}
    found = different(world, devices, truth) + untold(devices, said, world)
    requests = {number: at for device in devices for number, at in device.diary.requests.items()}
    joined = {key: requests[number] for key, number in last_writes.items() if key in lists and number in requests}
    for device in devices:
        found += _versions(device)
        found += _private(device)
        found += _invented(device, written)
        found += _acknowledged(device, lists, last_writes)
        found += _waiting(device, world, lists=lists, joined=joined, matched_at=matched_at)
    return found


def untold(devices: Sequence[Device], said: Sequence[Said], world: World) -> list[str]:
    """Every stream that was held while a message was written and told has heard it. (A look would hide the loss.)

    Told, says the worker, by forgetting it. What it forgot without telling it, nobody has heard. After a reload a
    stream may hear nothing, but must have ended soon: then its device looks.
    """
    return [
        f"{device.member.user_id} did not hear message {message.number} on {message.channel.partition(':')[0]},"
        f" written {message.written_at - held_at:.3f} s after it was held, told at {message.told_at - held_at:.3f}"
        for device in devices
        for held_at, message in _missed(device, said, world)
    ]


def _missed(device: Device, said: Sequence[Said], world: World) -> Iterator[tuple[float, Said]]:
    heard = {payload.get("number") for _, payload in device.diary.heard}
    for message in said:
        if message.channel not in device.member.channels or message.number in heard:
            continue
        over = (at + RELOAD_S for at in world.reloads if at < message.told_at < at + RELOAD_S)
        due = max([message.told_at, *over]) + GRACE_S + world.lag_s
        for held_at, ended_at in device.diary.held:
            if held_at < message.written_at and due < ended_at:
                yield held_at, message


def late_writes(world: World, devices: Sequence[Device]) -> int:
    """How often the case of `_acknowledged` came up: a write without an answer that came after one with an answer."""
    lists = world.lists()
    return sum(
        ((device.member.user_id, slot) in lists) != (function == "join_waitlist")
        for device in devices
        for slot, function in device.diary.answered.items()
    )


def _versions(device: Device) -> Iterator[str]:
    """No version goes back: not in what was shown, nor in what was answered to a question asked later."""
    newest: dict[datetime, int] = {}
    for shown in device.diary.shown:
        if shown.version < newest.get(shown.slot, 0):
            yield f"{device.member.user_id} {shown.slot}: showed version {shown.version} after {newest[shown.slot]}"
        newest[shown.slot] = shown.version
    yield from (f"{device.member.user_id} {sentence}" for sentence in device.diary.stale)
    # Nor in what was told, in the order in which it was written: a device would throw the later message away.
    told: dict[str, int] = {}
    for payload in sorted((payload for event, payload in device.diary.heard if event == "button"), key=_number):
        slot, version = payload["timeSlot"], payload["version"]
        if version < told.get(slot, 0):
            yield f"{device.member.user_id} {slot}: was told version {version} after {told[slot]}"
        told[slot] = version


def _number(payload: dict[str, Any]) -> int:
    return int(payload["number"])


def _private(device: Device) -> Iterator[str]:
    """No message of another member."""
    for event, payload in device.diary.heard:
        if payload.get("meantFor") not in device.member.channels:
            yield f"{device.member.user_id} heard `{event}` that was meant for {payload.get('meantFor')}"
        mates = [mate["userId"] for mate in payload.get("members", [])]
        if mates and device.member.user_id not in mates:
            yield f"{device.member.user_id} heard of a circle of others"


def _invented(device: Device, written: dict[int, tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Nothing is told that was not committed, word for word."""
    for event, payload in device.diary.heard:
        if written.get(payload.get("number", 0)) != (event, payload):
            yield f"{device.member.user_id} heard `{event}` {payload.get('number')}, which was never written"


def _acknowledged(
    device: Device, lists: dict[tuple[str, datetime], int], last_writes: dict[tuple[str, datetime], str]
) -> Iterator[str]:
    """What was answered with success has happened, and stays, until another write comes.

    One kind of write comes when its sender no longer waits for it. nginx was killed, or the sender gave up;
    PostgREST has the request all the same, and runs it when it gets a connection: seconds later, if the database is
    starting, too. Whoever pressed the other button meanwhile finds that undone. No server can tell such a request from
    a slow one, and the member is told by a message, as of what they did on another device.

    So the last write may be one that nobody was answered. It may not be one that was: what the gateway asked twice must
    not happen again after its answer (decision 6).
    """
    for slot, function in device.diary.answered.items():
        on_list = (device.member.user_id, slot) in lists
        last = last_writes.get((device.member.user_id, slot))
        if on_list != (function == "join_waitlist") and (last is None or last in device.diary.requests):
            yield f"{device.member.user_id} {slot}: {function} was answered, but {on_list=} by request {last}"


def _waiting(
    device: Device,
    world: World,
    *,
    lists: dict[tuple[str, datetime], int],
    joined: dict[tuple[str, datetime], float],
    matched_at: dict[datetime, float],
) -> Iterator[str]:
    """From the deadline to the matching, who is on the list sees the old button, disabled, or the final one.

    A join that is not answered may not have committed yet: until the device is told of it, `Past` is right.
    """
    for slot in world.slots:
        if (device.member.user_id, slot.at) not in lists:
            continue
        history = [shown for shown in device.diary.shown if shown.slot == slot.at]
        version = lists[device.member.user_id, slot.at]
        told = [shown.at for shown in history if shown.version >= version and shown.button["buttonState"] == "leave"]
        known_since = joined.get((device.member.user_id, slot.at), min(told, default=float("inf")))
        for number, shown in enumerate(history):
            until = history[number + 1].at if number + 1 < len(history) else float("inf")
            if until < slot.deadline + GRACE_S + world.lag_s:
                continue  # it was replaced in time
            old_enabled = shown.button["buttonState"] in ("join", "leave") and not shown.button["isDisabled"]
            too_early = (
                shown.button["buttonState"] not in ("join", "leave") and known_since < shown.at < matched_at[slot.at]
            )
            if old_enabled or too_early:
                yield f"{device.member.user_id} {slot.at}: showed {shown.button} {shown.at - slot.deadline:+.2f} s"
