"""Plots as SVG, made by hand: a page that needs nothing else, and can be kept for years."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 76, 20, 12, 56
COLOURS = ("#1b6ac9", "#c94f1b", "#2c8a4b", "#8a3ab9", "#b58900", "#555f6b", "#0f9ba8", "#d6336c", "#7a5230")
TICKS = 6  # at most, on one axis
APART = 48  # the least from one number to the next


@dataclass(frozen=True)
class Axis:
    """From 0 (or, logarithmic, from a power of ten) to the end, with round numbers at its ticks."""

    ticks: list[float]
    place: Callable[[float], float]  # value -> 0..1
    unit: str


def lines(
    series: Mapping[str, Points],
    x_unit: str,
    y_unit: str,
    *,
    limit: tuple[str, float] | None = None,
    at: Sequence[float] = (),
) -> str:
    """Return one line for each series; `limit` is drawn across.

    With `at`, values of x, both scales are logarithmic, and each point has a dot.
    """
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points] + ([limit[1]] if limit else [])
    scale = _logarithmic if at else _linear
    across, up = scale(xs, x_unit), scale(ys, y_unit)
    if at:
        across = replace(across, ticks=list(at))
    body = [_limit(up, *limit)] if limit else []
    for number, points in enumerate(series.values()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(_x(across, x), _y(up, y)) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if at or len(places) < 3:
            body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places]
    return _frame(across, up, body, list(series))


def areas(series: Mapping[str, Points], x_unit: str, y_unit: str, *, limit: tuple[str, float] | None = None) -> str:
    """Return the series one upon the other; all have the same x."""
    first = next(iter(series.values()), [])
    floor_of = [0.0] * len(first)
    tops = []
    for points in series.values():
        floor_of = [below + y for below, (_, y) in zip(floor_of, points, strict=True)]
        tops.append(floor_of)
    across = _linear([x for x, _ in first], x_unit)
    up = _linear([*(tops[-1] if tops else []), *([limit[1]] if limit else [])], y_unit)
    body = []
    below = [0.0] * len(first)
    for number, top in enumerate(tops):
        there = [f"{_x(across, x):.1f},{_y(up, y):.1f}" for (x, _), y in zip(first, top, strict=True)]
        back = [f"{_x(across, x):.1f},{_y(up, y):.1f}" for (x, _), y in zip(first, below, strict=True)]
        points_text = " ".join([*there, *reversed(back)])
        body.append(f'<polygon points="{points_text}" fill="{COLOURS[number % len(COLOURS)]}" fill-opacity="0.75"/>')
        below = top
    if limit:
        body.append(_limit(up, *limit))
    return _frame(across, up, body, list(series))


def shares(curves: Mapping[str, Sequence[float]], x_unit: str) -> str:
    """Return, for each list of values, which share of them is not greater than x."""
    series = {}
    for name, values in curves.items():
        ordered = sorted(values)
        kept = ordered[:: max(1, len(ordered) // 400)] + ordered[-1:]
        points = [(value, 100 * (place + 1) / len(kept)) for place, value in enumerate(kept)]
        series[f"{name} ({len(ordered):,})"] = [(points[0][0] if points else 0.0, 0.0), *points]
    return lines(series, x_unit, "%")


def _frame(across: Axis, up: Axis, body: list[str], names: list[str]) -> str:
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for tick in up.ticks:
        y = _y(up, tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e4e7eb"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)} {escape(up.unit)}</text>')
    last = 0.0
    for tick in across.ticks:
        x = _x(across, tick)
        if x - last < APART:
            continue
        last = x
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">')
        parts.append(f"{_number(tick)} {escape(across.unit)}</text>")
    parts += body
    x = float(LEFT)
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="{HEIGHT - 18}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="{HEIGHT - 9}">{escape(name)}</text>')
        x += 28 + 6.8 * len(name)
    return "".join([*parts, "</svg>"])


def _limit(up: Axis, name: str, value: float) -> str:
    y = _y(up, value)
    line = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#a11" stroke-dasharray="5 4"/>'
    below = 15 if y < TOP + 20 else -5
    return f'{line}<text x="{WIDTH - RIGHT}" y="{y + below:.1f}" text-anchor="end" fill="#a11">{escape(name)}</text>'


def _x(axis: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * axis.place(value)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * axis.place(value)


def _linear(values: Sequence[float], unit: str) -> Axis:
    high = max([value for value in values if value > 0], default=1.0)
    power = 10.0 ** floor(log10(high / TICKS))
    step = next(power * part for part in (1, 2, 5, 10) if high / (power * part) <= TICKS)
    top = step * ceil(high / step)
    ticks = [step * number for number in range(round(top / step) + 1)]
    return Axis(ticks, lambda value: max(0.0, value) / top, unit)


def _logarithmic(values: Sequence[float], unit: str) -> Axis:
    positive = [value for value in values if value > 0] or [1.0]
    low, high = floor(log10(min(positive))), ceil(log10(max(positive)))
    high = max(high, low + 1)
    ticks = [10.0**power for power in range(low, high + 1)]
    return Axis(ticks, lambda value: (log10(max(value, ticks[0])) - low) / (high - low), unit)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"
