"""The peer: the same story on plain Wagtail, as its own tutorial would have it, behind a good WSGI server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools.bench_gate.bench import Bench
from tools.bench_gate.load import Line, Slice, write_pool
from tools.bench_gate.machine import BenchError, MissingToolError, listeners, tree
from tools.bench_gate.measure import Server
from tools.bench_gate.paper import ROOT, copies, get

PAGES = 20  # enough: it keeps nothing between two requests
_running: list[subprocess.Popen[bytes]] = []


def server(bench: Bench, say: Callable[[str], None]) -> Server:
    """Plain Wagtail with the scratch paper's stories as pages, pinned to the same core."""
    granian = shutil.which("granian") or shutil.which("granian", path=str(Path(sys.executable).parent))
    if granian is None:
        raise MissingToolError("granian is not installed; `uv pip install granian`, or leave --peer out")
    folder, port = bench.folder / "wagtail", bench.port()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))}
    env |= {"PLAIN_WAGTAIL": str(folder), "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-m", "tools.bench_gate.plain_wagtail.fill"], env=env, cwd=ROOT, text=True,
        input=json.dumps(copies(PAGES)), capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    if made.returncode:
        raise BenchError(f"plain Wagtail could not be filled: {made.stderr[-1500:]}")
    paths = json.loads(made.stdout.splitlines()[-1])
    command = ["taskset", "-c", str(bench.settings.server_core), granian, "--interface", "wsgi", "--port", str(port)]
    command += ["--workers", "1", "--no-ws", "tools.bench_gate.plain_wagtail.wsgi:application"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
    _running.append(process)
    _wait(port, paths[0], folder)
    if not listeners(port, tree(process.pid)):
        raise BenchError(f"port {port} is answered by a process that is not ours")
    say(f"  plain Wagtail: {len(get(port, paths[0]).plain) / 1000:.1f} kB of HTML")
    pool = bench.folder / "peer.txt"
    lines = [Line(at, 1, "full", "") for at in range(len(paths))]
    write_pool(pool, f"localhost:{port}", paths, lines, bench.settings.headers)

    def pids() -> list[int]:
        return tree(process.pid)

    def take() -> Slice:
        return bench.wrk.slice(f"http://127.0.0.1:{port}/", pool, bench.settings.seconds, pids, prefixed=False)

    return Server("plain Wagtail", take, pids, pids)


def _wait(port: int, path: str, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            status = get(port, path).status
        except OSError:
            time.sleep(0.2)
            continue
        if status == 200:  # noqa: PLR2004
            return
        break
    raise BenchError(f"plain Wagtail does not serve: {(folder / 'log').read_text()[-1000:]}")


def stop() -> None:
    for process in _running:
        process.terminate()
        process.wait(20)
    _running.clear()
