"""The report of a drill: one HTML file that needs nothing else. What was broken when, and what the clients saw."""
import html

WIDTH, HEIGHT, LEFT, TOP = 1100, 190, 70, 16
STYLE = """
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 75em; color: #222; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 } th, td { padding: .25em .8em; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child, .text { text-align: left } .good { color: #176b2c } .bad { color: #b00020; font-weight: bold }
svg { width: 100%; height: auto } svg text { font: 11px sans-serif; fill: #444 }
"""


def nice_ceiling(value):
    step = 1
    while step * 10 <= value:
        step *= 10
    return next(step * factor for factor in (1, 2, 5, 10) if step * factor >= value)


def bands(faults, x):
    """Where something was broken."""
    parts = []
    for number, fault in enumerate(faults, 1):
        left, right = x(fault["began_ms"]), x(fault["healed_ms"])
        parts.append(f'<rect x="{left:.1f}" y="{TOP}" width="{max(1.5, right - left):.1f}" height="{HEIGHT}" '
                     f'fill="#d9534f" opacity=".16"/><text x="{left + 2:.1f}" y="{TOP + 11}">{number}</text>')
    return "".join(parts)


def plot(title, unit, points, faults, span):
    """Points are (Unix ms, value), a bar each."""
    begin, end = span
    most = nice_ceiling(max([value for _, value in points] + [1]))

    def x(ms):
        return LEFT + (ms - begin) / max(1, end - begin) * (WIDTH - LEFT - 10)

    def y(value):
        return TOP + HEIGHT - value / most * HEIGHT

    bar = max(0.8, 10 / max(1, end - begin) * (WIDTH - LEFT - 10))
    bars = "".join(f"M{x(ms):.1f} {TOP + HEIGHT}V{y(value):.1f}h{bar:.2f}V{TOP + HEIGHT}z" for ms, value in points)
    lines = "".join(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y(most * i / 4):.1f}" y2="{y(most * i / 4):.1f}" '
                    f'stroke="#ddd"/><text x="{LEFT - 6}" y="{y(most * i / 4) + 4:.1f}" text-anchor="end">'
                    f'{most * i / 4:g}</text>' for i in range(5))
    seconds = "".join(f'<text x="{x(ms):.1f}" y="{TOP + HEIGHT + 14}" text-anchor="middle">{(ms - begin) // 1000} s</text>'
                      for ms in range(begin, end, max(1000, (end - begin) // 12000 * 1000)))
    return (f"<h3>{html.escape(title)} <small>({html.escape(unit)})</small></h3>"
            f'<svg viewBox="0 0 {WIDTH} {TOP + HEIGHT + 24}" role="img">{lines}{bands(faults, x)}'
            f'<path d="{bars}" fill="#2b6cb0"/>{seconds}</svg>')


def cell(value, unit=" ms"):
    return "<td>-</td>" if value is None else f"<td>{value:,.0f}{unit}</td>"


def rows(faults):
    return "".join(
        f'<tr><td>{number}</td><td class="text">{html.escape(fault["what"])}</td>'
        f'{cell(fault["broken_ms"])}{cell(fault["detected_ms"])}{cell(fault["takeover_ms"])}{cell(fault["gap_ms"])}'
        f'{cell(fault["whole_ms"])}</tr>' for number, fault in enumerate(faults, 1))


def verdict(result):
    good = result["lost"] == result["twice"] == result["changed"] == 0 and result["same_state"]
    words = ("Nothing lost, nothing twice, no answer changed; both nodes hold the same state and the same log." if good
             else "SOMETHING IS WRONG: see below.")
    return f'<p class="{"good" if good else "bad"}">{words}</p>'


def write(path, result, timeline):
    """`timeline`: (Unix ms, answers, longest latency in us)."""
    span = (timeline[0][0], timeline[-1][0] + 10) if timeline else (0, 1)
    faults = result["faults"]
    facts = ("answers", "lost", "twice", "changed", "largest_gap_ms", "durability", "port", "grace", "rate", "seconds")
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Holdfast: failover drill</title><style>{STYLE}</style>"
        f"<h1>Failover drill</h1>{verdict(result)}<table>"
        + "".join(f"<tr><td>{name.replace('_', ' ')}</td><td>{html.escape(str(result[name]))}</td></tr>" for name in facts)
        + "</table>"
        + plot("Answers", "a second", [(ms, count * 100) for ms, count, _ in timeline], faults, span)
        + plot("Slowest answer", "ms", [(ms, longest / 1000) for ms, _, longest in timeline], faults, span)
        + '<h3>What was broken</h3><table><tr><th></th><th class="text">fault</th><th>for</th><th>noticed after</th>'
        "<th>other node leads after</th><th>longest time without an answer</th><th>pair whole again after</th></tr>"
        + rows(faults) + "</table><p>Noticed: a node's role or fence changed. All times from the moment of the fault.</p>")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
