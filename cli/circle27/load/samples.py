"""Raw samples: one line for each request that a member sent, and for each span that is made of several."""

import csv
import gzip
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from math import ceil
from pathlib import Path

VERSION = re.compile(rb'"version":\s*(\d+)')
COME_AGAIN = (429, 503, 504)  # statuses that say: not now
SLUG = re.compile(rb'"details":\s*"([a-z_]+)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """A request, or a span: a whole poll, the way of a mail."""

    at: float  # seconds after the run began, when it was sent
    kind: str  # request | span
    name: str
    member: int  # number within the run
    slot: str  # whom it is about; empty: none
    status: int  # of HTTP; 0: no answer
    slug: str  # why it failed; empty: it did not
    ms: float
    version: int = 0  # of the button in the answer; 0: there was none


def row(sample: Sample) -> str:
    """Return one line of CSV."""
    at, *middle, ms, version = astuple(sample)
    return ",".join([f"{at:.3f}", *map(str, middle), f"{ms:.2f}", str(version)]) + "\n"


def read(files: Iterable[Path]) -> list[Sample]:
    """Return the samples of all these files, in the order in which they were sent."""
    found = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            for at, kind, name, member, slot, status, slug, ms, version in csv.reader(file):
                found.append(
                    Sample(float(at), kind, name, int(member), slot, int(status), slug, float(ms), int(version))
                )
    return sorted(found, key=lambda sample: sample.at)


def write(path: Path, samples: Iterable[Sample]) -> None:
    """Write them as CSV with a header, compressed."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=5) as file:
        file.write(",".join(field.name for field in fields(Sample)) + "\n")
        file.writelines(map(row, samples))


def slug_of(status: int, content: bytes, error: object, retry_after: str | None = None) -> str:
    """Return why a request failed: the API's own word for it, or one of ours; empty if it did not fail."""
    if status == 0:
        return "timed_out" if "timed out" in str(error).lower() else "no_answer"
    if status < 300:
        return ""
    found = SLUG.search(content)
    slug = found[1].decode() if found else f"without_slug_{status}"
    return f"{slug}_without_retry_after" if status in COME_AGAIN and not retry_after else slug


def version_of(content: bytes) -> int:
    """Return the version of the button in an answer; 0 if there is none."""
    found = VERSION.search(content)
    return int(found[1]) if found else 0


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest rank of values in any order; None of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None
