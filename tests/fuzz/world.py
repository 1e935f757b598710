"""Two campuses whose people are easy to recognise: what one caller must never read is searched for in every answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote

from circle27.stack.supervision import wait_until
from tests.life import Campus, Person
from tests.stack import Stack

ROLES = ("anon", "member", "operator", "service_role")
NEWCOMERS = count(1)


@dataclass
class World:
    """At 14:20: on both campuses the meeting of 14:00 is over and had circles, and the slot at 17:00 is open."""

    stack: Stack
    home: Campus
    abroad: Campus
    callers: dict[str, Person] = field(default_factory=dict)
    mates: list[Person] = field(default_factory=list)
    strangers: list[Person] = field(default_factory=list)
    foreigners: list[Person] = field(default_factory=list)

    def begin(self) -> None:
        """Let people join, meet, and be on the next list."""
        for campus in (self.home, self.abroad):
            campus.open()
        member, *self.mates = self.home.members("Caller", "Matea", "Mateo")
        self.strangers = self.home.members("Strangera", "Strangero", "Strangeru")
        self.foreigners = self.abroad.members("Foreigna", "Foreigno", "Foreignu")
        for person in (member, *self.mates):
            person.gets("join_waitlist", p_time_slot=self.home.slot)
        for person in self.foreigners:
            person.gets("join_waitlist", p_time_slot=self.abroad.slot)
        self.home.match()
        wait_until(lambda: self.abroad.status(self.abroad.slot) == "matched", 10, "the slot abroad was not matched")
        self.home.at(minutes=20)
        for person in (*self.mates, *self.strangers):
            person.gets("join_waitlist", p_time_slot=self.home.slots[2])
        for person in self.foreigners:
            person.gets("join_waitlist", p_time_slot=self.abroad.slots[2])
            person.gets("submit_feedback", p_time_slot=self.abroad.slot, p_rating=1, p_comment="Foreign words")
        self.callers = {
            "anon": self.home.nobody,
            "member": member,
            "operator": self.home.member("Opera", operator=True),
            "service_role": self.home.service,
        }

    @property
    def ids(self) -> list[str]:
        return [person.user_id for person in (*self.people, self.callers["operator"])]

    @property
    def people(self) -> list[Person]:
        return [self.callers["member"], *self.mates, *self.strangers, *self.foreigners]

    @property
    def slots(self) -> list[str]:
        """The meeting that is over and the open slot come first: they are drawn most."""
        return [self.home.slot, *self.home.slots[::-2], *self.abroad.slots]

    def newcomer(self, operator: bool) -> Person:
        """Somebody who may sign out, or delete the account, without taking the caller along."""
        return self.home.member(f"Newcomer{next(NEWCOMERS)}", operator=operator)

    def secrets(self, role: str) -> set[str]:
        """Return the texts that no answer to this role may have, in lower case."""
        if role == "service_role":
            return set()
        everybody = role == "anon"
        names = {"anon": self.people, "member": [*self.strangers, *self.foreigners], "operator": self.foreigners}[role]
        # Whom of the same campus a member has blocked stands in their own trail, by the id that they sent.
        ids = self.people if everybody else self.foreigners
        addresses = {
            f"{person.name.lower()}@{campus.campus_id}.edu"
            for campus, people in ((self.home, [*self.mates, *self.strangers]), (self.abroad, self.foreigners))
            for person in people
        }
        named = {person.name.lower() for person in names} | {person.user_id for person in ids}
        return named | addresses | {quote(address) for address in addresses} | {"foreign words"}


@contextmanager
def made(stack: Stack) -> Iterator[World]:
    """Make the world on a stack of its own; afterwards the clock is as it was."""
    world = World(stack, Campus(stack, "fuzz-home"), Campus(stack, "fuzz-abroad"))
    try:
        world.begin()
        yield world
    finally:
        stack.rpc("set_clock_offset", {"p_offset": "0"}, token=stack.service_token)
