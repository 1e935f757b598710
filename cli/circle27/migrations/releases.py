"""From what one release holds to what the next one does: the scripts of a snapshot.

A source is the unit. Of what a release changes,

    replaced   keeps its functions and views (`create or replace`); policies, triggers and grants are taken away first
    dropped    goes whole and is made anew: another signature, a view that loses a column, a domain, a type

and what names a dropped thing goes and comes back with it. The revert is the same way back.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from circle27.migrations.plan import Entry, is_release
from circle27.migrations.script import MARK, Script
from circle27.migrations.sources import Source, column_comments, created, ordered
from circle27.migrations.sqltext import Statement

GONE = "-- removed: "  # before the first source of a deploy script: the former release had it

_ROLE = re.compile(r"\n+set local role \w+;\n*\Z")
_ATTRIBUTE = re.compile(
    r"(?<![\w.])(language|transform|window|immutable|stable|volatile|not\s+leakproof|leakproof|called|strict|returns\s+null|"
    r"security|external|parallel|cost|rows|support|set|as|begin|return)\b",
    re.IGNORECASE,
)
_SELECT = re.compile(r"(?P<before>.*?)\bas\s+select\b(?P<items>.*?)(?P<rest>(?<!distinct\s)\bfrom\b.*)?$", re.I | re.S)
_TWO_QUERIES = re.compile(r"\b(union|intersect|except)\b", re.IGNORECASE)


def texts(entries: list[Entry]) -> dict[str, str]:
    """Return label -> text of the sources that a database holds after these changes of the plan."""
    found: dict[str, str] = {}
    for entry in entries:
        if is_release(entry.name):
            removed, sections = _parts(Script(entry.script("deploy")).text)
            found = {label: text for label, text in found.items() if label not in removed} | sections
    return found


def held(entries: list[Entry], db_dir: Path) -> list[Source]:
    """Return the same as sources, in the order of deployment."""
    return ordered([Source.of(label, text, db_dir) for label, text in texts(entries).items()])


def whole(entries: list[Entry], db_dir: Path) -> Script:
    """Return a script of no file: it makes all that the releases hold where nothing of it is there yet."""
    creates = Transition([], held(entries, db_dir)).creates
    return Script(Path("sources"), f"begin;\n\n{creates}\ncommit;\n".encode())


def _parts(script: str) -> tuple[list[str], dict[str, str]]:
    """Return the labels that a deploy script removes, and label -> text of those that it makes."""
    head, *parts = re.split(rf"^{MARK}(.+)\n", script.rpartition("\ncommit;")[0], flags=re.MULTILINE)
    removed = re.findall(rf"^{GONE}(.+)$", head, flags=re.MULTILINE)
    return removed, {
        label: _ROLE.sub("", text).strip("\n") for label, text in zip(parts[::2], parts[1::2], strict=True)
    }


class Transition:
    """The way from the sources of one release to those of another. Both lists are in the order of deployment."""

    def __init__(self, old: list[Source], new: list[Source]) -> None:
        """Find out what has to go and what has to run."""
        self.old, self.new = old, new
        self._before = {source.label: source for source in old}
        self._after = {source.label: source for source in new}
        labels = self._before.keys() | self._after.keys()
        self._touched = {label for label in labels if self._text(self._before, label) != self._text(self._after, label)}
        self._dropped = set[str]()
        while self._spread():
            pass

    @staticmethod
    def _text(sources: dict[str, Source], label: str) -> str | None:
        return sources[label].text if label in sources else None

    def _spread(self) -> bool:
        """Take in what depends on what is taken in already; tell whether there was more."""
        known = len(self._touched), len(self._dropped)
        for label in self._touched & self._before.keys() - self._dropped:
            if label not in self._after or not replaceable(self._before[label], self._after[label]):
                self._dropped.add(label)
        dropped = [self._before[label] for label in self._dropped]
        names = {name for source in dropped for name in source.names}
        files = {source.name for source in dropped}
        touched = [source for source in (*self.old, *self.new) if source.label in self._touched]
        shared = {name for source in touched for name in _granted(source)}
        for source in self.old:
            if source.mentions & names:
                self._dropped.add(source.label)
            if source.label in self._dropped or files & {*source.requires} or _granted(source) & shared:
                self._touched.add(source.label)
        return (len(self._touched), len(self._dropped)) != known

    @property
    def removed(self) -> list[str]:
        """The labels of the sources that the new release has no more."""
        return sorted(self._before.keys() - self._after.keys())

    @property
    def made(self) -> list[Source]:
        """The sources that run, in order."""
        return [source for source in self.new if source.label in self._touched]

    @property
    def drops(self) -> str:
        """The statements that take away what is not replaced: last made first."""
        lines = [(source, "\n".join(self._takes_away(source))) for source in self.old[::-1]]
        return "\n".join(_as_owner([line for line in lines if line[1]], ""))

    @property
    def creates(self) -> str:
        """The sources that run, each below its mark."""
        return "\n".join(_as_owner([(source, f"{MARK}{source.label}\n{source.text}\n") for source in self.made], "\n"))

    @property
    def verifies(self) -> list[str]:
        """The statements that fail unless all that was made exists."""
        return checks(self.made)

    def _takes_away(self, source: Source) -> Iterator[str]:
        if source.label in self._dropped:
            yield from source.drops
        elif source.label in self._touched:
            yield from (made.drop for made in reversed(source.makes) if made.kind in ("policy", "trigger", "grant"))


def checks(sources: list[Source]) -> list[str]:
    """Return the statements that fail unless all that sources make exists."""
    return [made.verify for source in sources for made in source.makes if made.verify]


def _as_owner(texts: list[tuple[Source, str]], end: str) -> Iterator[str]:
    """Yield the texts, and before each the change to its owner's role where that is another one."""
    owner = ""
    for source, text in texts:
        if source.owner != owner:
            owner = source.owner
            yield f"set local role {owner};{end}"
        yield text


def _granted(source: Source) -> set[str]:
    """Return what a source grants rights on. Taking away one's right on a table takes those on its columns, too."""
    return {made.table or made.name for made in source.makes if made.kind == "grant"}


def replaceable(old: Source, new: Source) -> bool:
    """Tell whether `create or replace` turns the routines and views of one text into those of the other.

    When in doubt not: to drop and make anew is always right, but the few who call at that moment see an error.
    """
    headers = {_header(statement) for kind, statement in created(new.text) if kind in ("function", "procedure")}
    views = [statement for kind, statement in created(new.text) if kind == "view"]
    fits: dict[str, Callable[[Statement], bool]] = {
        "trigger": lambda _: True,
        "function": lambda statement: _header(statement) in headers,
        "procedure": lambda statement: _header(statement) in headers,
        "view": lambda statement: any(_appends(statement, view) for view in views),
    }
    return column_comments(old.text) <= column_comments(new.text) and all(
        kind in fits and fits[kind](statement) for kind, statement in created(old.text)
    )


def _header(statement: Statement) -> str:
    """Return what `create or replace` can't change of a routine: kind, name, arguments, result."""
    end = _ATTRIBUTE.search(_flat(statement.code))
    return " ".join(statement.text[: end.start() if end else None].split())


def _appends(old: Statement, new: Statement) -> bool:
    """Whether one view replaces another: its columns are the same as far as they go."""
    before, after = _columns(old), _columns(new)
    return (
        "or replace" in new.words.partition("view")[0]
        and None not in (before, after)
        and (after or [])[: len(before or [])] == before
    )


def _columns(view: Statement) -> list[str] | None:
    """Return the view's name and its columns' expressions, or None where the text does not tell them."""
    flat = _flat(view.code)
    match = _SELECT.match(flat)
    if not match or _TWO_QUERIES.search(flat):
        return None
    name = re.split(r"\bview\b", match["before"], maxsplit=1, flags=re.IGNORECASE)[-1].split()
    commas = [at.start() for at in re.finditer(",", match["items"])]
    start, end = match.start("items"), match.end("items")
    cuts = [start - 1, *(start + comma for comma in commas), end]
    items = [" ".join(view.text[a + 1 : b].split()) for a, b in pairwise(cuts)]
    if any(item.endswith("*") for item in items) or name[0].endswith(".") or name[1:2] not in ([], ["with"]):
        return None
    return [name[0], *items]


def _flat(text: str) -> str:
    """Blank out what stands in parentheses, and these, character for character."""
    while (outer := re.sub(r"\([^()]*\)", lambda inside: "." * len(inside[0]), text)) != text:
        text = outer
    return text
