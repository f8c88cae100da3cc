"""`broadsheet demo`: whose folder it takes, what it refuses, what it prints."""

from __future__ import annotations

import argparse
import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadsheet import clock
from broadsheet.demo import cli
from tests.papers import free_port


@pytest.fixture(autouse=True)
def untouched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("BROADSHEET_DATA", "BROADSHEET_DEMO", "BROADSHEET_PORT"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(clock, "_offset", timedelta())
    return tmp_path


def run(served, *, data=None, now=None, port=None, **flags):
    def serve_paper(folder, *, announce):
        served.append(folder)
        announce()
        return 0

    data = data or Path("broadsheet-data").resolve()
    flags = {"json": False, "quiet": False, **flags}
    return cli.run_demo(
        argparse.Namespace(data=data, now=now, port=port or free_port(), serve_paper=serve_paper, **flags)
    )


def test_it_takes_a_folder_of_its_own_and_takes_it_again(untouched, capsys):
    served = []
    assert run(served) == run(served) == 0
    assert served == [untouched / "broadsheet-demo"] * 2
    assert 'name = "The Meridian Courier"' in (served[0] / "broadsheet.toml").read_text("utf-8")
    assert os.environ["BROADSHEET_DEMO"] == "1"
    out = capsys.readouterr().out
    for text in ("/demo/visitor", "/demo/reader", "/demo/subscriber", "/demo/editor", "/demo/mail"):
        assert text in out


def test_it_never_moves_into_a_real_paper(untouched, capsys):
    real = untouched / "real"
    real.mkdir()
    (real / "broadsheet.toml").write_text('name = "Real"\n')
    served = []
    assert run(served, data=real) == 2
    assert served == []
    assert [path.name for path in real.iterdir()] == ["broadsheet.toml"]
    assert "holds no demo" in capsys.readouterr().err


def test_a_taken_port_is_said_before_anything_is_made(untouched, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run([], port=port) == 2
    assert f"port {port} is taken" in capsys.readouterr().err
    assert list(untouched.iterdir()) == []


def test_its_clock_starts_where_it_is_told(capsys):
    assert run([], now="2027-01-10T09:00:00+05:30") == 0
    assert abs(clock.now() - datetime(2027, 1, 10, 3, 30, tzinfo=UTC)) < timedelta(seconds=30)


def test_an_instant_that_is_none_is_refused(untouched, capsys):
    served = []
    assert run(served, now="next week") == 2
    assert (served, list(untouched.iterdir())) == ([], [])
    assert "--now" in capsys.readouterr().err


def test_json_says_where_to_look(capsys):
    port = free_port()
    run([], port=port, json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["url"] == f"http://localhost:{port}/"
    assert said["doors"]["editor"] == f"http://localhost:{port}/demo/editor"
    assert said["mailbox"] == f"http://localhost:{port}/demo/mail"


def test_quiet_is_quiet(capsys):
    run([], quiet=True)
    assert capsys.readouterr().out == ""
