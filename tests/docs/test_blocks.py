"""The reader of documents tells commands, output, files and what is not run apart."""

from pathlib import Path

import pytest

from tests.docs.blocks import Block, matches, read_blocks

DOCUMENT = """# Title

```sh
first
```

```text
one ... three
```

Words.

```text
no output: words stand between
```

<!-- not run: it installs system packages -->
```sh
second
```

`db/a.sql`:

```sql
select 1;
```

`run.sh`:
```sh
third
```
```
"""


def test_what_each_block_is_for(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(DOCUMENT)
    first, words, second, sql, third, _ = read_blocks(document)
    assert (first.text, first.line, first.is_run) == ("first\n", 3, True)
    assert first.output is not None
    assert first.output.text == "one ... three\n"
    assert (words.language, words.is_run, words.output) == ("text", False, None)
    assert (second.not_run, second.is_run) == ("it installs system packages", False)
    assert (sql.file, sql.language, sql.text) == ("db/a.sql", "sql", "select 1;\n")
    assert (third.file, third.is_run) == ("run.sh", False)


@pytest.mark.parametrize(
    ("language", "expected", "printed", "same"),
    [
        ("text", "a\nb\n", "a  \nb\n\n", True),
        ("text", "a\nb\n", "a\nc\n", False),
        ("text", "a ...\nz\n", "a b\nc\nz\n", True),
        ("text", "a ...\nz\n", "a b\nc\nz\ny\n", False),
        ("text", "a.b\n", "axb\n", False),
        ("json", '{"a": 1,\n "b": [{"c": "x...z"}, ...]}', '{"a":1, "b":[{"c" : "x: y z"},{"c":null}]}\n', True),
        ("json", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}', False),
        ("json", '{"a": "x y"}', '{"a": "xy"}', False),
        ("json", '{"a": "x: y"}', '{"a": "x:y"}', False),
        ("json", '{"a": 1}', '{"a": 1}{"a": 1}', False),
    ],
)
def test_output_is_compared(language: str, expected: str, printed: str, same: bool) -> None:
    assert matches(Block(language, expected, 1), printed) is same
