"""A process that plays members who poll: `python -m bench.deadline.players`. Started by swarm.py, as locusts.py is.

Both journeys write down a span for each new state of the button that a member sees after the deadline: its name is the
state, its length goes from the deadline to the moment at which the client had read it in an answer.
"""

from circle27.load import locusts  # noqa: I001  first: it lets gevent replace sockets

import time
from typing import Any

from circle27.load.ground import instant
from circle27.load.journeys import JOURNEYS, Polling


class Buttons(Polling):
    """Polls get_button_states, of PostgREST or of who gives the same answers."""

    seen = ""

    def poll(self) -> list[Any]:
        """Look, and note what the button says after the deadline."""
        began = time.time()
        answers = self.reads()
        state = self.final_state(answers, began)
        if state not in ("", self.seen):
            self.seen = state
            self.span(state, self.plan.deadline)
        return answers

    def reads(self) -> list[Any]:
        """Return the answers of one poll."""
        return [self.look()]

    def final_state(self, answers: list[Any], began: float) -> str:
        """Return what the button will say from now on; empty as long as that is not known, or nothing came."""
        (answer,) = answers
        if answer.status_code != 200:
            return ""
        slot = instant(self.plan.slots[0])
        button = next(each for each in answer.json()["slots"] if instant(each["timeSlot"]) == slot)
        return button["buttonState"] if button["slotStatus"] == "matched" else ""


class NineReads(Buttons):
    """Polls rows, and decides by itself: after the deadline a row of a circle is `confirmed`, none is `past`.

    The rows do not say whether the matching is over, so that the `past` of a poll between the two is a guess.
    """

    def reads(self) -> list[Any]:
        """Return the nine answers."""
        return Polling.poll(self)

    def final_state(self, answers: list[Any], began: float) -> str:
        """Decide by the circle of the first slot, by the clock of when the poll was sent."""
        circle = answers[1]
        if circle.status_code != 200 or began < self.plan.deadline:
            return ""
        return "confirmed" if circle.json() else "past"


JOURNEYS.update({"buttons": Buttons, "nine_reads": NineReads})

if __name__ == "__main__":
    locusts.main()
