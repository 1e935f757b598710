"""Follow documents to the letter: their commands, in a copy of the checkout, with a stack of its own.

Two things differ from what a reader does. The ports: where a document names one of the stack's default ports, the
copy's own is put in its place, in commands and in output. The set-up: it installs nothing, for the packages that run
the tests are there; the copy's `.venv` and `node_modules` are links to them.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from circle27.paths import ROOT
from circle27.stack.settings import PORTS
from tests.docs.blocks import Block, matches, read_blocks
from tests.stack import environment

TIMEOUT_S = 180
INSTALLED = (".venv", "web/swagger/node_modules", "tests/supabase/node_modules", "tests/browser/node_modules")


@dataclass(frozen=True)
class Follower:
    """A reader at the terminal, in the folder of a checkout."""

    checkout: Path
    environment: dict[str, str]

    def follow(self, document: str, subtests: pytest.Subtests) -> None:
        """Run the commands of a document in order, in one shell; compare what they print with what it says."""
        blocks = [block for block in read_blocks(self.checkout / document) if block.is_run or block.file]
        said = self.checkout / ".said"
        shutil.rmtree(said, ignore_errors=True)
        said.mkdir()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here("\n".join(self._step(block, said) for block in blocks))],
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=TIMEOUT_S,
        )
        ran = {int(file.name): file.read_text("utf-8", "replace") for file in said.iterdir()}
        assert ran, f"{document} has no commands"
        last = max(ran)
        assert done.returncode == 0, f"{document}:{last}: exit status {done.returncode}\n{ran[last]}"
        for block in blocks:
            if block.output is not None:
                output = Block(block.output.language, self.here(block.output.text), block.output.line)
                with subtests.test(f"{document}:{output.line}"):
                    assert matches(output, ran[block.line]), f"{document}:{output.line}: printed\n{ran[block.line]}"

    def here(self, text: str) -> str:
        """Put this stack's ports in the place of the default ones."""
        for service, port in PORTS.items():
            text = re.sub(rf"(?<!\d){port}(?!\d)", self.environment[f"CIRCLE27_{service.upper()}_PORT"], text)
        return text

    def _step(self, block: Block, said: Path) -> str:
        if block.file is not None:
            path = self.checkout / block.file
            assert path.resolve().is_relative_to(self.checkout), block.file
            return f"mkdir -p '{path.parent}'\ncat >'{path}' <<'END OF THE FILE'\n{block.text}END OF THE FILE"
        return f"exec >'{said}/{block.line}' 2>&1\n{block.text}"


def reader_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a reader: the stack is as it is by default, but on free ports."""
    made = environment(folder)
    for name in (
        *("CIRCLE27_HOME", "CIRCLE27_RATE_LIMITS"),
        *("MAKEFLAGS", "MAKELEVEL", "MFLAGS"),  # of `make test`: a reader's make is no part of it, and says less
    ):
        made.pop(name, None)
    # The copy's own code, though the package is installed from the checkout that is tested.
    path = [entry for entry in made["PATH"].split(os.pathsep) if not entry.startswith(str(ROOT))]
    return {**made, "PYTHONPATH": str(folder / "circle27" / "cli"), "PATH": os.pathsep.join(path), "COLUMNS": "100"}


def copy_checkout(target: Path) -> None:
    """Copy what git knows, or would take, of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for name in INSTALLED:
        (target / name).symlink_to((ROOT / name).resolve())
    (target / "stack/setup.sh").write_text("#!/bin/sh\necho 'setup: ready'\n")
    git = ["git", "-c", "user.name=Reader", "-c", "user.email=reader@circle27.invalid"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "As cloned"]):
        subprocess.run([*git, *command], cwd=target, check=True)
