"""docs/security.md: each threat has a defence, and a test that there is."""

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from circle27.paths import ROOT

PAGE = ROOT / "docs/security.md"


def rows(text: str) -> list[list[tuple[str, list[str]]]]:
    """Return the rows of the tables of threats: of each cell its text, and what stands in backquotes."""
    found: list[list[tuple[str, list[str]]]] = []
    header: list[str] = []
    for table in text.split("\n\n"):
        cells = [
            (token.content, [child.content for child in token.children or [] if child.type == "code_inline"])
            for token in MarkdownIt().enable("table").parse(table)
            if token.type == "inline"
        ]
        header = [content for content, _ in cells[:3]]
        if header == ["threat", "defence", "test"]:
            found += [cells[at : at + 3] for at in range(3, len(cells), 3)]
    return found


def is_test(path: Path) -> bool:
    """Say whether pytest collects a file, or a test beside it reads it: a lint, the matrix, the fuzzer's query."""
    if path.suffix == ".py":
        return path.name.startswith("test_") and "def test_" in path.read_text("utf-8")
    if path.is_relative_to(ROOT / "db/lints"):
        return (ROOT / "tests/lints/faults" / path.name).is_file()
    return "plan(" in path.read_text("utf-8") or any(
        path.name in other.read_text("utf-8") for other in path.parent.glob("*.py")
    )


def test_there_are_threats() -> None:
    assert len(rows(PAGE.read_text("utf-8"))) > 30


@pytest.mark.parametrize("row", rows(PAGE.read_text("utf-8")), ids=lambda row: row[0][0][:60])
def test_each_threat_has_a_defence_and_a_test(row: list[tuple[str, list[str]]]) -> None:
    (threat, _), (defence, _), (_, tests) = row
    assert threat, "a threat without a name"
    assert defence, f"{threat}: no defence"
    assert tests, f"{threat}: no test"
    for path in tests:
        assert (ROOT / path).is_file(), f"{threat}: there is no {path}"
        assert is_test(ROOT / path), f"{threat}: {path} is no test"


def test_the_check_can_fail() -> None:
    [row] = rows("| threat | defence | test |\n| --- | --- | --- |\n| a | b | `tests/docs/blocks.py` |\n")
    assert row[2][1] == ["tests/docs/blocks.py"]
    assert not is_test(ROOT / row[2][1][0])
