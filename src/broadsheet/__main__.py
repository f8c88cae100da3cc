"""`broadsheet COMMAND …`, also as `python -m broadsheet`."""

from __future__ import annotations

import sys

from broadsheet.server.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
