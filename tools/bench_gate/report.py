"""What was measured, as rows for programs, as lines for a terminal and as the table of docs/performance.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tools.bench_gate.machine import Memory
from tools.bench_gate.measure import QUIET, SATURATED, Figure, Run
from tools.bench_gate.paper import ROOT

PAGE = ROOT / "docs" / "performance.md"
_PLACE = re.compile(r"(<!-- measured -->\n).*(<!-- end of measured -->)", re.DOTALL)
Row = dict[str, Any]
COLUMNS = (
    "setup", "scenario", "gate / nginx", "gate / page cache", "page cache / nginx", "with the newsroom",
    "p50 / p99 ms", "nginx p50 / p99", "nginx varied by",
)  # fmt: skip


def _three(ratio: Figure) -> list[float]:
    return [round(value, 3) for value in (ratio.value, ratio.low, ratio.high)]


def row(setup: str, scenario: str, run: Run) -> Row:
    """One scenario in one setup. Ratios are [median, low, high] of an interval of 90 %."""
    found: Row = {"setup": setup, "scenario": scenario, "pairs": len(run.slices["gate"]), "servers": {}, "ratios": {}}
    for name in run.slices:
        found["servers"][name] = {
            "requests_per_cpu_second": round(sum(run.per_cpu(name)) / len(run.per_cpu(name))),
            "requests_per_second": round(run.middle(name, "requests") / run.middle(name, "seconds")),
            "share_of_core": round(run.share(name), 2),
            "p50_ms": run.middle(name, "p50") / 1000,
            "p99_ms": run.middle(name, "p99") / 1000,
            "bytes": round(run.middle(name, "bytes_each")),
        }
        if name != "nginx":
            found["ratios"][f"{name} / nginx"] = _three(run.ratio(name, "nginx"))
    if "page cache" in run.slices:
        found["ratios"]["gate / page cache"] = _three(run.ratio("gate", "page cache"))
    found["ratios"]["gate with newsroom / nginx"] = _three(run.ratio("gate", "nginx", whole=True))
    found["nginx_spread"] = round(run.spread("nginx"), 3)
    found["nginx_share_of_core"] = round(run.share("nginx"), 2)
    found["foreign_share_of_core"] = round(run.foreign(), 3)
    found["quiet"] = bool(found["nginx_spread"] <= QUIET and found["nginx_share_of_core"] >= SATURATED)
    return found


def memory_row(setup: str, rows: Sequence[Memory]) -> Row:
    return {"setup": setup, "memory": [{"name": m.name, "rss_kb": m.rss, "pss_kb": m.pss} for m in rows]}


def told(found: Row) -> str:
    """A row for a person at a terminal."""
    if "memory" in found:
        return "\n".join(
            f"  {part['rss_kb'] // 1024:5d} MB resident, {part['pss_kb'] // 1024:5d} MB proportional  {part['name']}"
            for part in found["memory"]
        )
    if "calm" in found:
        parts = [f"{name} p50 {c['p50_ms']:.2f} p99 {c['p99_ms']:.2f} ms" for name, c in found["calm"].items()]
        return f"  at {found['share']:.0%} load, {found['calm']['gate']['requests_per_second']}/s: " + "; ".join(parts)
    noise = "" if found["quiet"] else "NOT QUIET: "
    foreign = f"{found['foreign_share_of_core']:.0%} of the core went elsewhere"
    lines = [f"{found['setup']}, {found['scenario']}: {noise}nginx varied by {found['nginx_spread']:.0%}, {foreign}"]
    for name, part in found["servers"].items():
        lines.append(
            f"  {name:<14} {part['requests_per_cpu_second']:>7} requests/CPU-s  {part['requests_per_second']:>6}/s  "
            f"share {part['share_of_core']:.2f}  p50 {part['p50_ms']:.2f} p99 {part['p99_ms']:.2f} ms  "
            f"{part['bytes']} bytes"
        )
    lines += [f"  {name:<26} {r[0]:.2f} ({r[1]:.2f}-{r[2]:.2f})" for name, r in found["ratios"].items()]
    return "\n".join(lines)


def _cell(found: Row, name: str) -> str:
    ratio = found["ratios"].get(name)
    return f"{ratio[0]:.2f} ({ratio[1]:.2f}-{ratio[2]:.2f})" if ratio else "-"


def as_markdown(rows: Sequence[Row], about: dict[str, str], sizes: tuple[float, float]) -> str:
    """The measured part of docs/performance.md."""
    said = "; ".join(f"{name} {value}" for name, value in about.items() if name not in ("cpu", "system"))
    lines = [
        f"{date.today():%d %B %Y}; {about['cpu']}; {about['system']}; {said}.",  # noqa: DTZ011 - the day on the wall
        f"A full page has {sizes[0]:.1f} kB of HTML, {sizes[1]:.1f} kB gzipped.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for found in rows:
        if "servers" not in found:
            continue
        gate, nginx = found["servers"]["gate"], found["servers"]["nginx"]
        lines.append(
            f"| {found['setup']} | {found['scenario']} | {_cell(found, 'gate / nginx')} "
            f"| {_cell(found, 'gate / page cache')} | {_cell(found, 'page cache / nginx')} "
            f"| {_cell(found, 'gate with newsroom / nginx')} | {gate['p50_ms']:.2f} / {gate['p99_ms']:.2f} "
            f"| {nginx['p50_ms']:.2f} / {nginx['p99_ms']:.2f} "
            f"| {found['nginx_spread']:.0%}{'' if found['quiet'] else ' (not quiet)'} |"
        )
    lines.append("")
    for found in rows:
        if "servers" not in found:
            lines.append(f"{found['setup']}: {' '.join(told(found).split())}.\n")
        elif "plain Wagtail" in found["servers"]:
            peer = found["servers"]["plain Wagtail"]
            lines.append(f"Plain Wagtail: {peer['requests_per_cpu_second']} requests per CPU-second.\n")
    return "\n".join(lines)


def write(rows: Sequence[Row], about: dict[str, str], sizes: tuple[float, float], page: Path = PAGE) -> None:
    """Put the table in its place in the document."""
    text = page.read_text("utf-8")
    body = as_markdown(rows, about, sizes)
    page.write_text(_PLACE.sub(lambda found: f"{found.group(1)}{body}\n{found.group(2)}", text), "utf-8")
