"""`broadsheet till`: the sandbox till as a process of its own."""

from __future__ import annotations

from typing import Any

from broadsheet.payments.adapters import sandbox_server


def add_commands(subparsers: Any) -> None:
    parser = subparsers.add_parser("till", help="the sandbox till as a process of its own")
    sandbox_server.add_arguments(parser)
    parser.set_defaults(run=sandbox_server.run)
