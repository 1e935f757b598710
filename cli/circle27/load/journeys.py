"""What each kind of member does. Only locusts.py imports this: it needs locust."""

import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import gevent
from gevent.event import Event
from locust import FastHttpUser, task
from locust.exception import StopUser

from circle27.load.plan import PAST_MEMBERS, Plan
from circle27.load.samples import COME_AGAIN, Sample

TRIES = 5  # of a write that is refused for now; as web/circle27.js waits, for what Retry-After says
READS = (("waitlist_entries", "time_slot"), ("circle_members", "circle_no"), ("feedback", "rating"))
MAIL_S = 60.0
SUBJECT = re.compile(rb"^To: (\S+)\r?$.*?|^Subject: .* (\d{6})\r?$", re.M)


class Run:
    """What all members of this process share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.gate = Event()
        self.until = math.inf
        self.write: Callable[[Sample], None] = lambda _: None
        self.here: Iterator[int] = iter(range(len(plan.members)))
        self.gone = 0
        self._over = Event()
        self._codes: dict[str, str] = {}

    def begin(self, plan: Plan) -> None:
        """Let everyone begin, at a moment that all processes know."""
        self.plan = plan
        self.until = plan.began + plan.duration if plan.duration else math.inf
        if plan.mails:
            gevent.spawn(self._read_mails)
        self.gate.set()

    def stop(self) -> None:
        """End as soon as each has the answer to what it asked."""
        self.until = 0.0
        self._over.set()

    def leave(self) -> None:
        """Count a member who is done."""
        self.gone += 1
        if self.gone >= len(self.plan.members):
            self._over.set()

    def wait_for_everyone(self, users: int) -> None:
        """Return when all are done; after the end nobody is waited for longer than an answer may take."""
        while not self._over.wait(0.2) and time.time() < self.until:
            pass
        last = time.time() + 30
        while self.gone < users and time.time() < last:
            gevent.sleep(0.05)

    def code(self, address: str) -> str | None:
        """Wait for the login code of a mail to this address; None if none comes in time."""
        last = time.time() + MAIL_S
        while address not in self._codes:
            if time.time() > min(last, self.until + MAIL_S if self.until else 0.0):
                return None
            gevent.sleep(0.05)
        return self._codes.pop(address)

    def _read_mails(self) -> None:
        folder = Path(self.plan.mails)
        seen = {path.name for path in folder.iterdir()}
        while True:
            for path in folder.iterdir():
                if path.name not in seen:
                    seen.add(path.name)
                    found = SUBJECT.findall(path.read_bytes())
                    address = next((to for to, _ in found if to), b"")
                    code = next((code for _, code in found if code), b"")
                    self._codes[address.decode()] = code.decode()
            gevent.sleep(0.1)


class Journey(FastHttpUser):
    """A member with a token and a connection of their own."""

    abstract = True
    network_timeout = 30.0
    connection_timeout = 10.0
    run_of_this_process: ClassVar[Run]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.run_ = self.run_of_this_process
        place = next(self.run_.here)
        self.number = self.plan.first + place
        self.user_id, self.token, self.email = self.plan.members[place]
        self.dice = Random(f"{self.plan.seed}-{self.number}")

    @property
    def plan(self) -> Plan:
        """The plan, which says more once the run goes on."""
        return self.run_.plan

    @task
    def live(self) -> None:
        """Do everything, once."""
        try:
            self.run_.gate.wait()
            self.journey()
        finally:
            self.run_.leave()
        raise StopUser

    def journey(self) -> None:
        """Do what this kind of member does."""
        raise NotImplementedError

    # --- Time -------------------------------------------------------------------------------------------------------

    def sleep_until(self, moment: float) -> bool:
        """Sleep; return whether the run still goes on then."""
        while (left := min(moment, self.run_.until) - time.time()) > 0:
            gevent.sleep(min(left, 0.5))
        return time.time() < self.run_.until

    def arrive(self) -> bool:
        """Sleep until this member comes: at random, within the ramp."""
        return self.sleep_until(self.plan.began + self.plan.ramp * self.dice.random())

    def think(self) -> bool:
        """Sleep as long as a person thinks: many times briefly, now and then long."""
        return self.sleep_until(time.time() + self.dice.expovariate(1 / self.plan.think if self.plan.think else 1e9))

    def span(self, name: str, began: float, slug: str = "") -> None:
        """Write down how long something of several steps took."""
        at = began - self.plan.began
        self.run_.write(Sample(at, "span", name, self.number, "", 0, slug, (time.time() - began) * 1000))

    # --- Calls ------------------------------------------------------------------------------------------------------

    def ask(self, name: str, path: str, body: Any = None, *, slot: str = "", token: str | None = None) -> Any:
        """Send one request (a POST if it has a body); return the answer, which locusts.py has written down."""
        headers = {"Accept": "application/json"}
        if bearer := self.token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        context = {"name": name, "member": self.number, "slot": slot}
        method = "GET" if body is None else "POST"
        return self.client.request(method, path, name=name, json=body, headers=headers, context=context)

    def look(self) -> Any:
        """Ask for the day's buttons."""
        return self.ask("look", f"/rest/v1/rpc/get_button_states?p_day={self.plan.day}")

    def change(self, function: str, slot: str) -> bool:
        """Join or leave, again after Retry-After where it is refused for now; return whether it was acknowledged."""
        for _ in range(TRIES):
            answer = self.ask(
                function.removesuffix("_waitlist"), f"/rest/v1/rpc/{function}", {"p_time_slot": slot}, slot=slot
            )
            if answer.status_code not in COME_AGAIN:
                return bool(answer.status_code == 200)
            if not self.wait_as_told(answer):
                break
        return False

    def wait_as_told(self, answer: Any) -> bool:
        """Sleep for what Retry-After says, and some jitter; return whether the run still goes on then."""
        wait = float(answer.headers.get("retry-after") or 1)
        return self.sleep_until(time.time() + wait * (1 + self.dice.random()))

    def sign_in(self, email: str) -> bool:
        """Sign in by a code from a mail, as somebody new does; the new token is this member's."""
        began = time.time()
        if (
            self.ask("ask for a code", "/rest/v1/rpc/request_login_code", {"p_email": email}, token="").status_code
            != 200
        ):
            return False
        asked = time.time()
        code = self.run_.code(email)
        self.span("mail", asked, "" if code else "no_mail")
        if code is None:
            return False
        answer = self.ask("verify", "/rest/v1/rpc/verify_login_code", {"p_email": email, "p_code": code}, token="")
        if answer.status_code != 200:
            return False
        self.token = answer.json()["accessToken"]
        self.span("login", began)
        return True


class Normal(Journey):
    """Looks often, joins and leaves, reads the own profile, says how it was."""

    def journey(self) -> None:
        """Do something, think, and so on."""
        going = self.arrive()
        here: set[str] = set()
        while going:
            self._something(here)
            going = self.think()

    def _something(self, here: set[str]) -> None:
        drawn = self.dice.random()
        slot = self.dice.choice(self.plan.slots)
        if drawn < 0.65:
            self.look()
        elif drawn < 0.85:
            function = "leave_waitlist" if slot in here else "join_waitlist"
            if self.change(function, slot):
                here.symmetric_difference_update({slot})
        elif drawn < 0.91:
            self.ask("profile", "/rest/v1/rpc/my_profile")
        elif drawn < 0.97 or not self.plan.past or self.number >= PAST_MEMBERS:
            self.ask("slots", f"/rest/v1/rpc/time_slots?p_campus_id=load&p_day={self.plan.day}", token="")
        elif drawn < 0.985:
            self.ask("circle", f"/rest/v1/rpc/my_circle?p_time_slot={self.plan.past.replace('+', '%2B')}")
        else:
            rating = 1 + self.number % 5  # the same each time: what was said once is not changed
            self.ask("feedback", "/rest/v1/rpc/submit_feedback", {"p_time_slot": self.plan.past, "p_rating": rating})


class Eager(Journey):
    """Asks without thinking, so that as many are under way as there are members; waits only when told to."""

    def journey(self) -> None:
        """Look twice, change one's mind, and so on."""
        slot = self.plan.slots[self.number % len(self.plan.slots)]
        on_list = False
        while time.time() < self.run_.until:
            for _ in range(2):
                answer = self.look()
                if answer.status_code in COME_AGAIN and not self.wait_as_told(answer):
                    return
            if self.change("leave_waitlist" if on_list else "join_waitlist", slot):
                on_list = not on_list


class Burst(Journey):
    """Joins one slot, once."""

    def journey(self) -> None:
        """Come, join."""
        if self.arrive():
            self.change("join_waitlist", self.plan.slots[0])


class Fickle(Journey):
    """Joins and leaves, without end."""

    def journey(self) -> None:
        """Join, think, leave, think, ..."""
        going = self.arrive()
        slot = self.plan.slots[self.number % len(self.plan.slots)]
        on_list = False
        while going:
            if self.change("leave_waitlist" if on_list else "join_waitlist", slot):
                on_list = not on_list
            going = self.think()


class Login(Journey):
    """Signs in, looks once."""

    def journey(self) -> None:
        """Come, sign in, look."""
        if self.arrive() and self.sign_in(self.email):
            self.look()


class DayOne(Journey):
    """Comes for the first time, joins, waits for the deadline, asks who is in the circle."""

    def journey(self) -> None:
        """Everything of the first day."""
        # Most come early: the announcement was heard.
        if not self.sleep_until(self.plan.began + self.plan.ramp * self.dice.random() ** 2):
            return
        if self.email and not self.sign_in(self.email):
            return
        slot = self.plan.slots[0]
        self.look()
        joins = self.dice.random() < 0.6
        if not self.think():
            return
        on_list = joins and time.time() < self.plan.deadline - 5 and self.change("join_waitlist", slot)
        while time.time() < self.plan.deadline + 2:
            if not self.think():
                return
            if time.time() < self.plan.deadline - 1 and self.dice.random() < 0.3:
                self.look()
        if on_list:
            self.ask("circle", f"/rest/v1/rpc/my_circle?p_time_slot={slot.replace('+', '%2B')}")
        self.look()


class Polling(Journey):
    """The old client: every `think` seconds nine reads with the service's key, three for each slot of the day."""

    def journey(self) -> None:
        """Poll, and poll again: at once where the last one took longer than that."""
        next_poll = self.plan.began + self.plan.think * self.dice.random()
        while self.sleep_until(next_poll):
            began = time.time()
            self.poll()
            self.span("poll", began)
            next_poll = max(began + self.plan.think, time.time())

    def poll(self) -> list[Any]:
        """Return the nine answers: of each slot the list, the circle, the feedback."""
        answers = []
        for slot in self.plan.slots:
            for table, column in READS:
                where = f"user_id=eq.{self.user_id}&time_slot=eq.{slot.replace('+', '%2B')}&select={column}"
                answers.append(self.ask(table, f"/rest/v1/{table}?{where}", token=self.plan.service_token))
        return answers


JOURNEYS: dict[str, type[Journey]] = {
    "normal-usage": Normal,
    "soak": Normal,
    "simultaneous-joins": Burst,
    "realtime-storm": Fickle,
    "login-storm": Login,
    "day-one": DayOne,
    "polling-baseline": Polling,
    "tune": Eager,
}
