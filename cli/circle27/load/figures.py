"""From raw samples to the numbers of summary.json."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from circle27.load.samples import Sample, percentile
from circle27.load.watch import Seen, Watch

BUSY = 0.9  # of a core: a generator that needs so much could not send more
LATE_MS = 100.0  # ... or that comes so late to its own work
DRIFT_S = 120  # shorter runs have no drift to speak of
WINDOW = 5  # seconds over which it is judged


def of_samples(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return counts and times of the requests, and of spans; a second counts only what was answered well."""
    requests = [sample for sample in samples if sample.kind == "request"]
    failed = [sample for sample in samples if sample.slug]
    end = max((sample.at + sample.ms / 1000 for sample in requests), default=0.0)
    begin = min((sample.at for sample in requests), default=0.0)
    seconds = end - begin
    return {
        "requests": len(requests),
        "errors": len(failed),
        **_times(requests),
        "throughput_rps": round(sum(not sample.slug for sample in requests) / seconds, 1) if seconds else 0.0,
        "seconds": round(seconds, 2),
        "by_name": _by_name(requests),
        "spans": _by_name(sample for sample in samples if sample.kind == "span"),
        "errors_by_slug": dict(Counter(sample.slug for sample in failed)),
        "errors_by_status": dict(Counter(str(sample.status) for sample in failed)),
    }


def of_watch(watch: Watch, lags_ms: Sequence[float], generators: int) -> dict[str, Any]:
    """Return what the stack and the generator were like; `generators` is 0 where none was needed."""
    probes = [ms for _, ms in watch.probes]
    busiest = _busiest(watch.seconds, "generator") / generators if generators else 0.0
    late = percentile(lags_ms, 0.5) or 0.0
    query = percentile(probes, 0.95)
    return {
        "query_p95_ms": None if query is None else round(query, 1),
        "queries": {"asked": len(probes), "failed": watch.probes_failed, "p50_ms": percentile(probes, 0.5)},
        "generator_limited": busiest >= BUSY or late >= LATE_MS,
        "busiest_cores": round(_busiest(watch.seconds), 2),
        "generator": {"processes": generators, "busiest_cores": round(busiest, 2), "late_ms": round(late, 1)},
        "cores": {
            part: round(_mean(watch.seconds, part), 2) for part in (watch.seconds[0].cores if watch.seconds else [])
        },
        "pool": {
            "most_busy": max((seen.busy for seen in watch.seconds), default=0),
            "most_waiting": max((seen.waiting for seen in watch.seconds), default=0),
            "longest_wait_s": round(max((seen.longest_wait_s for seen in watch.seconds), default=0.0), 2),
        },
    }


def of_drift(samples: Sequence[Sample], seconds: Sequence[Seen]) -> dict[str, Any]:
    """Return what a long run was like in its first and in its last quarter; of a short one nothing."""
    if not seconds or seconds[-1].at < DRIFT_S:
        return {}
    end = seconds[-1].at
    requests = [sample for sample in samples if sample.kind == "request"]
    held = [seen.memory_mb for seen in seconds if seen.memory_mb and seen.at > end / 4]
    return {
        "drift": {
            "first_quarter": _times(sample for sample in requests if sample.at < end / 4),
            "last_quarter": _times(sample for sample in requests if sample.at >= end * 3 / 4),
            "memory_mb": {part: [round(held[0][part]), round(held[-1].get(part, 0.0))] for part in held[0]}
            if held
            else {},
        }
    }


def _times(samples: Iterable[Sample]) -> dict[str, float | None]:
    values = sorted(sample.ms for sample in samples)
    found = {f"p{share}_ms": percentile(values, share / 100) for share in (50, 95, 99)}
    return {name: None if value is None else round(value, 1) for name, value in found.items()}


def _by_name(samples: Iterable[Sample]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.name].append(sample)
    return {
        name: {"count": len(group), "errors": sum(bool(sample.slug) for sample in group), **_times(group)}
        for name, group in sorted(groups.items())
    }


def _busiest(seconds: Sequence[Seen], part: str | None = None) -> float:
    """Return the cores that one part, or all of them, used in the busiest window."""
    used = [seen.cores.get(part, 0.0) if part else sum(seen.cores.values()) for seen in seconds]
    windows = [sum(used[at : at + WINDOW]) / WINDOW for at in range(max(0, len(used) - WINDOW + 1))]
    return max(windows, default=max(used, default=0.0))


def _mean(seconds: Sequence[Seen], part: str) -> float:
    return sum(seen.cores.get(part, 0.0) for seen in seconds) / len(seconds)
