"""What a run leaves behind: summary.json and a plot."""

import json
import os
import platform
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 360, 60, 48, 40
COLOURS = ("#1b6ac9", "#c94f1b")


def write(folder: Path, summary: dict[str, Any], curves: dict[str, list[float]]) -> None:
    """Write summary.json and deadline.svg: how many know their button so many seconds after the deadline."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "kernel": platform.release()}
    text = json.dumps({**summary, "machine": machine}, indent=2)
    (folder / "summary.json").write_text(text + "\n", "utf-8")
    (folder / "deadline.svg").write_text(
        plot(curves, "Who knows the new button, by seconds after the deadline"), "utf-8"
    )


def plot(curves: dict[str, list[float]], title: str) -> str:
    """Return an SVG with one cumulative curve for each list of seconds."""
    end = max((second for curve in curves.values() for second in curve), default=1.0) * 1.05
    right, floor = WIDTH - 20, HEIGHT - BOTTOM

    def x(second: float) -> float:
        return LEFT + (right - LEFT) * max(0.0, second) / end

    def y(share: float) -> float:
        return floor - (floor - TOP) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path d="M{LEFT} {y(share):.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for tenth in range(0, 11, 2):
        second = end * tenth / 10
        parts.append(f'<text x="{x(second):.1f}" y="{floor + 18}" text-anchor="middle">{second:.2f} s</text>')
    for number, (name, curve) in enumerate(curves.items()):
        ordered = sorted(curve)
        kept = ordered[:: max(1, len(ordered) // 500)] + ordered[-1:]
        points = [f"{x(second):.1f},{y((index + 1) / len(kept)):.1f}" for index, second in enumerate(kept)]
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        label = f"{name} ({len(ordered):,})"
        parts.append(f'<text x="{LEFT + 10 + 200 * number}" y="{HEIGHT - 8}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])
