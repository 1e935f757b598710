"""The mutants that may live: equivalent.txt names each, and says why nobody could notice."""

from pathlib import Path

EQUIVALENT = Path(__file__).parent / "equivalent.txt"


def equivalents() -> dict[str, str]:
    """Return mutant -> reason. A paragraph of the file is a reason, then the mutants that it explains, indented."""
    found: dict[str, str] = {}
    for paragraph in EQUIVALENT.read_text("utf-8").split("\n\n"):
        lines = paragraph.splitlines()
        reason = " ".join(line for line in lines if not line.startswith(" "))
        found |= {line.strip(): reason for line in lines if line.startswith(" ")}
    return found
