"""The jobs in a process of their own under a supervisor (`serve --role=work`, `--role=gate,work`)."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from broadsheet.server import child
from broadsheet.server.failures import UNREACHABLE, USAGE, ServiceUnreachableError
from broadsheet.server.options import OptionError
from broadsheet.server.setup import start_django


def main(words: Sequence[str]) -> int:
    args = child.arguments(words)
    child.begin(args)
    try:
        start_django()
    except (OptionError, ServiceUnreachableError) as error:
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201 - the form of all the program's errors
        return USAGE if isinstance(error, OptionError) else UNREACHABLE
    from broadsheet.server.wiring import periodic  # noqa: PLC0415 - needs Django's apps
    from broadsheet.server.worker import Worker  # noqa: PLC0415

    worker = Worker(periodic())

    def stop(*_: object) -> None:
        child.end_soon(child.GRACE)
        worker.stop()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    worker.start()
    child.ready(args)
    while worker.is_alive():
        worker.join(0.5)  # with a time, so that signals are heard between
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
