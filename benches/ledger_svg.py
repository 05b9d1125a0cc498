"""A plain chart of the measured cost of a claim, written by hand as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 50, 60, 70
COLOURS = ("#1f5fa8", "#b3541e", "#3a7d44", "#7a4a9e", "#8a6d00")

Series = Mapping[str, Sequence[tuple[float, float]]]


def chart(title: str, note: str, series: Series, reference: Sequence[tuple[float, float]]) -> str:
    """Return the SVG: tasks across (log), microseconds up (linear), a dashed line for log n."""
    points = [point for line in series.values() for point in line] + list(reference)
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    top = ceiling(max(y for _, y in points))

    def across(x: float) -> float:
        span = math.log10(high) - math.log10(low)
        return LEFT + (math.log10(x) - math.log10(low)) / span * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 24, title, size=16),
        text(LEFT, 44, note, colour="#555555", size=12),
    ]
    for step in range(6):
        y = top * step / 5
        parts.append(line([(LEFT, up(y)), (WIDTH - RIGHT, up(y))], "#dddddd", 1))
        parts.append(text(LEFT - 8, up(y) + 4, f"{y:g}", anchor="end"))
    exponent = math.ceil(math.log10(low))
    while 10**exponent <= high:
        x = across(10**exponent)
        parts.append(line([(x, TOP), (x, HEIGHT - BOTTOM)], "#eeeeee", 1))
        parts.append(text(x, HEIGHT - BOTTOM + 20, f"{10**exponent:,}", anchor="middle"))
        exponent += 1
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 22, "waiting tasks", anchor="middle"))
    parts.append(
        f'<text x="24" y="{middle}" text-anchor="middle" fill="#222222" '
        f'transform="rotate(-90 24 {middle})">median of a claim, µs</text>'
    )
    parts.append(line([(across(x), up(y)) for x, y in reference], "#999999", 1.5, dash="5 5"))
    parts.append(
        key(0, "c · log n, through the first point of the fewest agents", "#999999", "5 5")
    )
    for place, (name, data) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        parts.append(line([(across(x), up(y)) for x, y in data], colour, 2))
        parts += [
            f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3.5" fill="{colour}"/>'
            for x, y in data
        ]
        parts.append(key(place + 1, name, colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def ceiling(value: float) -> float:
    """Return the next round number: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def line(
    points: Sequence[tuple[float, float]], colour: str, width: float, *, dash: str = ""
) -> str:
    """Return a line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    colour: str = "#222222",
    size: int = 13,
) -> str:
    """Return a text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(words)}</text>'
    )


def key(place: int, words: str, colour: str, dash: str = "") -> str:
    """Return a line of the legend."""
    y = TOP + 16 + place * 18
    stroke = line([(LEFT + 12, y), (LEFT + 40, y)], colour, 2, dash=dash)
    return stroke + text(LEFT + 48, y + 4, words, size=12)
