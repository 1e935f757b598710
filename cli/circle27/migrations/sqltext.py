"""SQL text cut into statements, the way psql does it.

psql's rules, from its lexer: a statement ends at a semicolon outside quotes, dollar quotes, comments (which nest),
parentheses, and the `begin atomic ... end` body of a function.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<blank>    --[^\n]* | /\* )
  | (?P<string>   [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) )
  | (?P<name>     "(?:[^"]|"")*(?:"|\Z) )
  | (?P<word>     [^\W\d][\w$]* )
  | (?P<number>   \d[\w.]* )
  | (?P<dollar>   \$(?:[^\W\d]\w*)?\$ )
  | (?P<symbol>   [;()] )
    """,
    re.VERBOSE | re.DOTALL,
)
_NESTING = re.compile(r"/\*|\*/")
_ROUTINE = re.compile(r"create (or replace )?(function|procedure)\b")


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon, the line (from 1) on which it starts, and its code.

    `code` is the text with comments and the insides of strings and dollar quotes blanked out: it has the same length,
    so a match in it is a match in the text, and never one inside a function's body.
    """

    text: str
    line: int
    code: str

    @property
    def words(self) -> str:
        """The code in lower case, white space collapsed: for matching by its first words."""
        return _words(self.code)

    def line_at(self, position: int) -> int:
        """Return the line of a position (from 1, as the server reports it) in this statement's text."""
        return self.line + self.text.count("\n", 0, max(position - 1, 0))


def _tokens(sql: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of what matters for cutting; operators and white space lie between."""
    at = 0
    while match := _TOKEN.search(sql, at):
        kind, start, end = str(match.lastgroup), match.start(), match.end()
        if match[0] == "/*":
            depth = 1
            while depth and (mark := _NESTING.search(sql, end)):
                depth += 1 if mark[0] == "/*" else -1
                end = mark.end()
            end = len(sql) if depth else end
        elif kind == "dollar":
            close = sql.find(match[0], end)
            end = len(sql) if close < 0 else close + len(match[0])
        yield kind, start, end
        at = end


def _words(plain: str) -> str:
    return " ".join(plain.lower().split())


def _blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def code(sql: str) -> str:
    """Return the text with comments, strings and dollar quotes blanked out, character for character."""
    parts, at = [], 0
    for kind, start, end in _tokens(sql):
        hidden = kind in ("blank", "string", "dollar")
        parts += [sql[at:start], _blanked(sql[start:end]) if hidden else sql[start:end]]
        at = end
    return "".join([*parts, sql[at:]])


def statements(sql: str) -> list[Statement]:
    """Cut a script into its statements; empty ones are left out."""
    plain, found = code(sql), list[Statement]()
    begin: int | None = None
    parentheses = blocks = at = 0

    def add(end: int) -> None:
        if begin is not None:
            text = sql[begin:end].rstrip()
            found.append(Statement(text, sql.count("\n", 0, begin) + 1, plain[begin : begin + len(text)]))

    for kind, start, end in _tokens(sql):
        if begin is None and (operator := re.search(r"\S", sql[at:start])):
            begin = at + operator.start()
        at, token = end, sql[start:end].lower()
        if begin is None and kind != "blank" and token != ";":
            begin = start
        if token == "(":
            parentheses += 1
        elif token == ")":
            parentheses -= 1
        elif token == ";":
            if parentheses <= 0 and not blocks:
                add(start)
                begin, parentheses = None, 0
        elif token == "end" and blocks:
            blocks -= 1
        elif (token == "case" and blocks) or (token == "begin" and _ROUTINE.match(_words(plain[begin:start]))):
            blocks += 1
    if begin is None and sql[at:].strip():
        begin = at + len(sql[at:]) - len(sql[at:].lstrip())
    add(len(sql))
    return found
