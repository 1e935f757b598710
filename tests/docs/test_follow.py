"""The reader of documents sees a command that fails, and an output that is not what the document says."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.docs.follow import Follower, reader_environment

# A subtest that fails would fail this test: here its assertion is what is looked for.
SUBTESTS: Any = SimpleNamespace(test=lambda _: nullcontext())


def follow(folder: Path, text: str) -> None:
    (folder / "page.md").write_text(text, "utf-8")
    Follower(folder, reader_environment(folder)).follow("page.md", SUBTESTS)


def test_one_shell_runs_all_blocks_with_files_and_ports_of_its_own(tmp_path: Path) -> None:
    follow(
        tmp_path,
        "`a/word.txt`:\n\n```text\nhello\n```\n\n```sh\nread -r WORD < a/word.txt\n```\n\n"
        "<!-- not run: it would end the shell -->\n```sh\nexit 1\n```\n\n"
        '```sh\n[ "$CIRCLE27_GATEWAY_PORT" = 8027 ]\necho "$WORD 8027"\n```\n\n```text\nhello 8027\n```\n',
    )


def test_a_command_that_fails_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:5: exit status 3\nso far"):
        follow(tmp_path, "```sh\ntrue\n```\n\n```sh\necho so far\n(exit 3) | cat\n```\n\n```sh\ntrue\n```\n")


def test_another_output_is_shown(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:5: printed\nthree"):
        follow(tmp_path, "```sh\necho three\n```\n\n```text\ntwo\n```\n")


def test_a_page_without_commands_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md has no commands"):
        follow(tmp_path, "Words.\n")
