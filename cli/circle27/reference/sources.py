"""The files that people write, in docs/api/."""

import json
from pathlib import Path
from typing import Any

import yaml

from circle27.errors import CircleError
from circle27.paths import ROOT
from circle27.reference.catalogue import Catalogue

FOLDER = ROOT / "docs" / "api"
TYPES, STORY, ANSWERS = FOLDER / "types.yaml", FOLDER / "story.yaml", FOLDER / "answers.json"

Tree = dict[str, Any]


def client_types() -> str:
    """Return docs/api/client.d.ts: what web/circle27.js exports."""
    return (FOLDER / "client.d.ts").read_text("utf-8")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which an instant is a text: it is sent as it is written."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def types() -> Tree:
    """Return docs/api/types.yaml."""
    return _load(TYPES.read_text("utf-8"))


def story() -> Tree:
    """Return docs/api/story.yaml."""
    return _load(STORY.read_text("utf-8"))


def answers() -> Tree:
    """Return docs/api/answers.json: what came back, by part, in the order of its examples; and events by their name."""
    found: Tree = json.loads(ANSWERS.read_text("utf-8")) if ANSWERS.exists() else {}
    return found


def parts(told: Tree) -> list[Tree]:
    """Return the parts of all sections in order."""
    return [named(part) for section in told["sections"] for part in section["parts"]]


def named(part: Tree) -> Tree:
    """Return a part with its kind, and with the `name` of the function or view, or the path."""
    kind = next(kind for kind in ("function", "view", "path") if kind in part)
    return {**part, "kind": kind, "name": part[kind]}


def complete(catalogue: Catalogue, typed: Tree, told: Tree) -> None:
    """Refuse a function or view that the files say nothing of, and one that they speak of and that is no more."""
    for kind, known in (("function", set(catalogue.functions)), ("view", set(catalogue.views))):
        _same(known, {part["name"] for part in parts(told) if part["kind"] == kind}, STORY, kind)
    _same(set(catalogue.functions), set(typed["functions"]), TYPES, "function")


def _same(known: set[str], found: set[str], file: Path, kind: str) -> None:
    name = file.relative_to(ROOT)
    if missing := sorted(known - found):
        raise CircleError(f"{name} says nothing of the {kind} {missing[0]}; CONTRIBUTING.md tells what to add.")
    if gone := sorted(found - known):
        raise CircleError(f"{name} speaks of the {kind} {gone[0]}, which schema api does not have for clients.")


def _load(text: str) -> Tree:
    found: Tree = yaml.load(text, _Loader)
    return found
