"""How the demo looks in a terminal."""

from collections import Counter
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table


def hour(instant: str | datetime) -> str:
    """Return the hour as buttons have it: 11AM, 1:30PM."""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return at.strftime("%I:%M%p").lstrip("0").replace(":00", "")


class Screen:
    """Prints the story: a time, a sentence, a table."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str, indent: int = 2) -> None:
        """Print a line or two below the last moment."""
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False))

    def moment(self, at: str, sentence: str) -> None:
        """Begin a part of the day."""
        self._console.print()
        self._console.print(f"[bold cyan]{at}[/]  {sentence}")

    def buttons(self, states: list[list[dict[str, Any]]]) -> None:
        """Print what all members' buttons say, counted: a row for each text, a column for each slot."""
        slots = [slot["timeSlot"] for slot in states[0]]
        counts: dict[tuple[str, str], Counter[str]] = {}
        for slot in (slot for day in states for slot in day):
            counts.setdefault((slot["buttonText"], slot["middleText"]), Counter())[slot["timeSlot"]] += 1
        table = Table("button", "text below it", box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
        for slot in slots:
            table.add_column(hour(slot), justify="right", min_width=6)
        rows = [(column, text) for text in counts for column, slot in enumerate(slots) if counts[text][slot]]
        first = {text: min(column for column, other in rows if other == text) for text in counts}
        for text in sorted(counts, key=lambda text: (first[text], text[0] == "Past", text)):
            cells = [f"{counts[text][slot] or '·'}" for slot in slots]
            table.add_row(f"[bold]{text[0]}[/]", text[1], *cells)
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def facts(self, facts: dict[str, str]) -> None:
        """Print names and values."""
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, value in facts.items():
            table.add_row(f"[dim]{name}[/]", value)
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def heard(self, events: list[tuple[float, str, dict[str, Any]]], after: str) -> None:
        """Print what a stream heard, with the milliseconds after its cause."""
        for milliseconds, name, payload in events:
            if name == "button":
                what = f"the button says [bold]{payload['buttonText']}[/]"
            elif name == "circle" and payload.get("members"):
                what = f"a circle of {len(payload['members'])}"
            elif name == "slot":
                what = f"the slot is {payload['slotStatus']}"
            else:
                continue
            self.say(
                f"[green]»[/] {name:7} {hour(payload['timeSlot'])}: {what}, {milliseconds:.0f} ms after {after}", 4
            )
