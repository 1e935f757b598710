"""What the processes that play members are told: all they need, so that they ask no database."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

PAST_MEMBERS = 500  # so many of the first were in a circle of the slot that is over


@dataclass(frozen=True)
class Plan:
    """One run for one process. It goes over the process's standard input as JSON."""

    journey: str  # of journeys.JOURNEYS
    url: str
    users: int  # of all processes
    seed: int
    ramp: float  # seconds in which all come
    duration: float  # seconds after which nobody begins anything; 0: until everyone is done
    think: float  # seconds between two things that one member does, in the mean
    slots: list[str]  # as the API writes them
    day: str
    past: str = ""  # a slot that is over, whose circles may say how it was
    service_token: str = ""
    mails: str = ""  # the folder in which the mailbox keeps what it has caught

    # Of one process.
    members: list[list[str]] = field(default_factory=list)  # [user id, access token, e-mail address], one a user
    first: int = 0  # the run's number of the first of them
    samples: str = ""  # the file for its raw samples
    master: list[Any] = field(default_factory=list)  # [host, port] of locust's master; none: this process is alone

    # Known when it begins: seconds since 1970.
    began: float = 0.0
    deadline: float = 0.0  # of the first slot; 0: far away

    def text(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def read(cls, line: str | bytes) -> "Plan":
        """Return the plan of such a line."""
        return cls(**json.loads(line))

    def going(self, line: str | bytes) -> "Plan":
        """Return it with what the line that lets it begin adds."""
        return replace(self, **json.loads(line))
