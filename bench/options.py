"""What the command lines of the benches share: another file for what comes out, for a try."""

import argparse
from pathlib import Path


def parse(parser: argparse.ArgumentParser, kept: Path) -> tuple[argparse.Namespace, Path]:
    """Return the options of a bench, and the file for its results: `kept`, unless --results names another one."""
    parser.add_argument("--results", type=Path, default=kept, help="where to write, for a try")
    options = parser.parse_args()
    return options, vars(options).pop("results")
