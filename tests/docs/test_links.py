"""Links lead somewhere, and paths in tables are there. Nothing is fetched."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from circle27.paths import ROOT

# A name in backquotes that is a path of the repository: a folder or a file with an ending, no command, no schema.table.
PATH = re.compile(r"(?:[A-Za-z0-9_.<>-]+/)+[A-Za-z0-9_.<>*-]*|[A-Za-z0-9_-]+\.(?:sql|md|py|toml|yml|conf|js|plan)")


def documents() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).exists())


@cache
def tokens(path: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(path.read_text("utf-8"))


def links(path: Path) -> list[str]:
    inline = [token for token in tokens(path) if token.type == "inline"]
    children = [child for token in inline for child in token.children or []]
    return [str(child.attrs[key]) for child in children for key in ("href", "src") if key in child.attrs]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    found: list[str] = []
    for heading, content in zip(tokens(path), tokens(path)[1:], strict=False):
        if heading.type == "heading_open":
            text = "".join(child.content for child in content.children or [] if child.type in ("text", "code_inline"))
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = found.count(anchor)
            found.append(anchor)
            if again:
                found.append(f"{anchor}-{again}")
    return set(found)


@pytest.mark.parametrize("document", documents())
def test_every_link_leads_somewhere(document: str) -> None:
    here = ROOT / document
    for link in links(here):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), f"{document}: {link}: only https leads outside"
            continue
        name, _, anchor = link.partition("#")
        target = (here.parent / name).resolve() if name else here
        assert target.exists(), f"{document}: {link}: there is no such file"
        if anchor:
            assert anchor in anchors(target), f"{document}: {link}: there is no such heading"


@pytest.mark.parametrize(
    "document",
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "db/README.md", "tests/README.md", "docs/security.md"],
)
def test_the_paths_in_tables_are_there(document: str) -> None:
    """`<function>` stands for any name."""
    found = [path for code in codes_in_tables(ROOT / document) if (path := PATH.fullmatch(code))]
    for path in found:
        pattern = re.sub(r"<\w+>", "*", path[0]).rstrip("/")
        at = [folder for folder in (ROOT, (ROOT / document).parent) if any(folder.glob(pattern))]
        assert at, f"{document}: `{path[0]}`: there is no such path"


def codes_in_tables(path: Path) -> list[str]:
    found, in_table = [], False
    for token in tokens(path):
        if token.type in ("table_open", "table_close"):
            in_table = token.type == "table_open"
        elif in_table and token.type == "inline":
            found += [child.content for child in token.children or [] if child.type == "code_inline"]
    return found


def test_the_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(
        "# A `b.c` d_e: f\n\n# Twice\n\n# Twice\n\n| a |\n| --- |\n| `x/y.sql`, `z` |\n\n[l](b.md#c) ![i](i.png)\n"
    )
    assert anchors(page) == {"a-bc-d_e-f", "twice", "twice-1"}
    assert links(page) == ["b.md#c", "i.png"]
    assert codes_in_tables(page) == ["x/y.sql", "z"]
    codes = ("x/y.sql", "stack/", "db/<a>/<b>.sql", "z", "make test", "app.users")
    assert [bool(PATH.fullmatch(code)) for code in codes] == [True] * 3 + [False] * 3
