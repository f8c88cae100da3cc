"""The newsroom's process: Django's pages and the gate's questions over Unix sockets, and the jobs beside them.

Started by supervisor.py as `python -m broadsheet.server.newsroom_process …`.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import uvicorn
import uvloop

from broadsheet.gate.forward import from_gate
from broadsheet.server import child
from broadsheet.server.failures import UNREACHABLE, USAGE, ServiceUnreachableError
from broadsheet.server.options import OptionError, data_folder
from broadsheet.server.setup import start_django
from broadsheet.server.sockets import UnixListener, newsroom_socket, ports_socket

log = logging.getLogger("broadsheet.server")
LAST_JOB = 5.0  # seconds the job at hand gets to finish


async def _serve(pages: UnixListener, questions: UnixListener, newsroom: Any, args: Any) -> None:
    config = uvicorn.Config(
        from_gate(newsroom.application),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(child.GRACE),
    )
    server = uvicorn.Server(config)
    child.serving()
    await newsroom.ports.start(questions.socket, questions.is_replaced)
    beside = asyncio.ensure_future(_hold_office(server, (pages, questions), newsroom, args))
    try:
        await server.serve([pages.socket])
    finally:
        child.end_soon(child.GRACE / 2)
        beside.cancel()
        newsroom.worker.stop()
        await newsroom.ports.stop(LAST_JOB)


async def _hold_office(server: uvicorn.Server, listeners: Sequence[UnixListener], newsroom: Any, args: Any) -> None:
    """Only a newsroom that answers takes the place of the one before it, which begins no job and no printing from then
    on: what it prints is of the options that were."""
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    for listener in listeners:
        listener.take_over()
    child.ready(args)
    while not listeners[-1].is_replaced():  # noqa: ASYNC110 - a rename by another process, which nobody is told of
        await asyncio.sleep(0.1)
    newsroom.worker.stop()


def main(words: Sequence[str]) -> int:
    args = child.arguments(words)
    child.begin(args)
    begin = time.monotonic()
    try:
        start_django()
    except (OptionError, ServiceUnreachableError) as error:
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201 - the form of all the program's errors
        return USAGE if isinstance(error, OptionError) else UNREACHABLE
    # Imported only now: these need Django's apps.
    from broadsheet.server.newsroom import Newsroom  # noqa: PLC0415

    newsroom = Newsroom(jobs=args.jobs)
    data = data_folder()
    pages, questions = UnixListener(newsroom_socket(data)), UnixListener(ports_socket(data))
    log.info("The newsroom is ready after %.1f s.", time.monotonic() - begin)
    uvloop.run(_serve(pages, questions, newsroom, args))
    if newsroom.worker.is_alive():
        newsroom.worker.join(LAST_JOB)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
