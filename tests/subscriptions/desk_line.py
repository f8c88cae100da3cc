"""The subscription desk's command line, called as the program calls it: words in, status and printed objects out."""

from __future__ import annotations

import argparse
import json

import pytest

from broadsheet.subscriptions import cli


class Line:
    """`line("show", 12)` runs `billing show 12 --json`; its objects, with `status` and `err` of the last one beside."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.status = 0
        self.err = ""

    def __call__(self, *words: object) -> list[dict]:
        self._capsys.readouterr()
        self.status = call("--json", *words)
        told = self._capsys.readouterr()
        self.err = told.err
        return [json.loads(line) for line in told.out.splitlines()]

    def text(self, *words: object) -> str:
        self._capsys.readouterr()
        self.status = call(*words)
        return self._capsys.readouterr().out


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    cli.add_commands(parser.add_subparsers())
    given = [str(word) for word in words]
    args = parser.parse_args(
        [*[w for w in given[:1] if w == "--json"], "billing", *[w for w in given if w != "--json"]]
    )
    return int(args.run(args))
