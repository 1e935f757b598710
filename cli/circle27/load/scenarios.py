"""What can be played, and how it is played unless told otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One scenario: what it is about, and its defaults."""

    name: str
    about: str  # for the page: who does what
    users: int
    ramp: float = 0.0  # seconds in which all come
    duration: float = 0.0  # 0: until everyone is done
    think: float = 0.0  # seconds between two things that one member does
    streams: bool = False  # each member holds a stream, too


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "normal-usage",
            "Members come, look at their buttons, think, join and leave, read their profile, say how a meeting was.",
            users=1000,
            ramp=20,
            duration=60,
            think=10,
        ),
        Scenario(
            "deadline-rush",
            "Everyone holds a stream and watches one slot; its deadline comes, and each button has to change.",
            users=200,
            streams=True,
        ),
        Scenario(
            "simultaneous-joins",
            "A burst: everyone opens a connection and joins the same slot, once. Who is turned away for now comes "
            "again after what Retry-After says.",
            users=1000,
            ramp=30,
        ),
        Scenario(
            "realtime-storm",
            "Everyone holds a stream; some change their mind again and again. Each change is told to the member's own "
            "stream, and the number on the list to all streams, once a second.",
            users=500,
            ramp=2,
            duration=20,
            think=2,
            streams=True,
        ),
        Scenario(
            "login-storm",
            "Members sign in for the first time, all at once: each asks for a code, waits for the mail, sends the code "
            "back, looks.",
            users=200,
            ramp=20,
        ),
        Scenario(
            "day-one",
            "The day of the launch within a minute: most come early, a third sign in by mail, all hold streams and "
            "look, most join, the deadline comes, everybody asks who is in the circle.",
            users=1000,
            ramp=30,
            duration=70,
            think=8,
            streams=True,
        ),
        Scenario(
            "soak",
            "Normal usage for long, to see what drifts: memory, latency.",
            users=500,
            ramp=30,
            duration=1800,
            think=10,
        ),
        Scenario(
            "polling-baseline",
            "The old architecture, for contrast: every client polls every ten seconds, by nine reads through PostgREST "
            "with the key of service_role. It ends where these can no longer be answered.",
            users=100,
            duration=30,
            think=10,
        ),
    )
}
