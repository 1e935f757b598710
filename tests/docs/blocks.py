"""The fenced blocks of a Markdown document, and what each is for its reader.

```sh            commands: run in order, in one shell
```text, ```json directly after commands: what they print; `...` stands for anything
`path/file`:     on the line before a block: the block is that file's content, to be written by the reader
<!-- not run: why -->  on the line before commands: the reader may, a test does not
"""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

NOT_RUN = re.compile(r"<!-- not run: (?P<why>.+) -->")
FILE = re.compile(r"`(?P<path>[^`]+)`:")
TOKEN = re.compile(r"\.\.\.|\"(?:[^\"\\]|\\.)*\"|[^\s\"{}\[\],:]+|[{}\[\],:\"]")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int  # of its fence, from 1
    file: str | None = None  # the path, if the block is a file's content
    not_run: str | None = None  # why, if it is not to be run
    output: "Block | None" = None  # what it prints

    @property
    def is_run(self) -> bool:
        """Whether a follower of the document runs it."""
        return self.language == "sh" and self.file is None and self.not_run is None


def read_blocks(path: Path) -> list[Block]:
    """Return the blocks of a document in order; the output of commands is with them."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    found: list[Block] = []
    ended = -1  # the line after the last block
    for token in MarkdownIt().parse(text):
        if token.type != "fence" or token.map is None:
            continue
        first, after = token.map
        before = _line_before(lines, first)
        file = FILE.fullmatch(lines[before].strip()) if before >= 0 else None
        not_run = NOT_RUN.fullmatch(lines[before].strip()) if before >= 0 else None
        block = Block(
            token.info.strip(),
            token.content,
            first + 1,
            file["path"] if file else None,
            not_run["why"] if not_run else None,
        )
        follows = bool(found) and before == ended - 1
        if follows and block.language in ("text", "json") and found[-1].language == "sh" and found[-1].file is None:
            last = found[-1]
            found[-1] = Block(last.language, last.text, last.line, last.file, last.not_run, block)
        else:
            found.append(block)
        ended = after
    return found


def _line_before(lines: list[str], at: int) -> int:
    """Return the last line before `at` that is not blank, -1 if there is none."""
    return next((line for line in range(at - 1, -1, -1) if lines[line].strip()), -1)


def matches(output: Block, printed: str) -> bool:
    """Tell whether what was printed is what the document says.

    `...` stands for anything, in a string too. Text is compared line by line, but for blanks at the ends; JSON without
    regard to its layout: the order of its keys counts.
    """
    if output.language == "json":
        expected, found = _tokens(output.text), _tokens(printed)
    else:
        expected, found = (_trimmed(text) for text in (output.text, printed))
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def _tokens(text: str) -> str:
    return "".join(TOKEN.findall(text))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
