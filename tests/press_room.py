"""A process that has Django's modules loaded already, for code that prepares a test's paper: seconds become milliseconds.

`run(env, code)` runs `code` in a fork of it, under the environment `env`, as `python -c code` would; what a test is about
(`serve`, every command it runs) is a process of its own as ever. The fork reads its settings afresh when Django is
started in it, so that papers share modules and nothing else.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

TIMEOUT = 120
_rooms: dict[int, Path] = {}


def run(env: dict[str, str], code: str) -> subprocess.CompletedProcess:
    """The fork's status (-1: it died), what it printed and what it complained of."""
    if env.get("BROADSHEET_DATABASE_URL"):  # search chooses its tables by the database as modules are loaded
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    room = _rooms.get(os.getpid()) or _open()
    with tempfile.TemporaryDirectory(prefix="broadsheet-run-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        order = {"env": env, "code": code, "cwd": str(Path.cwd()), "out": str(out), "err": str(err)}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIMEOUT)
            line.connect(str(room))
            line.sendall(json.dumps(order).encode() + b"\n")
            said = line.makefile("rb").readline()
        status = int(said) if said else -1
        return subprocess.CompletedProcess(["python", "-c", code], status, _text(out), _text(err))


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _open() -> Path:
    """Start this test process's room; it ends with the test process."""
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-room-"))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))}
    env |= {"BROADSHEET_DATA": str(folder / "data"), "PYTHONPATH": os.pathsep.join(("src", "."))}
    room = subprocess.Popen(
        [sys.executable, "-m", "tests.press_room", str(folder / "line")],
        env=env, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(room.kill)
    assert room.stdout.readline() == b"ready\n"
    _rooms[os.getpid()] = folder / "line"
    return folder / "line"


# --- inside the room --------------------------------------------------------------------------------------------------
def _keep(path: str) -> None:
    import django

    Path(os.environ["BROADSHEET_DATA"]).mkdir(mode=0o700)
    os.environ["DJANGO_SETTINGS_MODULE"] = "broadsheet.server.settings"
    django.setup()
    for name in ("tests.make", "broadsheet.server.first_day", "broadsheet.server.database", "broadsheet.server.cli"):
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        print("ready", flush=True)
        parent = os.getppid()
        listening.settimeout(5)
        while os.getppid() == parent:
            try:
                line, _ = listening.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listening.close()
                _serve(line)
            line.close()


def _serve(line: socket.socket) -> None:
    """One order, carried out in this fork; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line.setblocking(True)
    order = json.loads(line.makefile("rb").readline())
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    status = 0
    try:
        _settings_when_started()
        exec(compile(order["code"], "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as an interpreter would
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    line.sendall(b"%d\n" % status)
    os._exit(0)


def _settings_when_started() -> None:
    """`start_django` reads the data folder's options at its first call, as in a process where Django is not up yet."""
    from broadsheet.server import setup

    start = setup.start_django

    def start_afresh(*, database: bool = True) -> None:
        setup.start_django = start
        _renew_settings()
        start(database=database)

    def start_billing_afresh() -> None:
        from broadsheet.server.database import make_scratch

        _renew_settings()
        make_scratch()

    setup.start_django, setup.start_billing = start_afresh, start_billing_afresh


def _renew_settings() -> None:
    from django.conf import Settings, settings
    from django.db import connections
    from django.test.signals import setting_changed

    from broadsheet.server import settings as module

    before = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    os.environ["DJANGO_SETTINGS_MODULE"] = module.__name__
    importlib.reload(module)
    settings._wrapped = Settings(module.__name__)
    connections._settings = None
    connections.__dict__.pop("settings", None)
    for alias in connections:
        if hasattr(connections._connections, alias):
            delattr(connections._connections, alias)
    for name in dir(settings):
        if name.isupper() and name != "DATABASES" and before.get(name) != getattr(settings, name):
            setting_changed.send(sender=Settings, setting=name, value=getattr(settings, name), enter=True)


if __name__ == "__main__":
    _keep(sys.argv[1])
