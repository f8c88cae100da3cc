"""What the newsroom's process runs. Import only when Django is set up."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

from broadsheet.server import jobs as jobs_of_the_program
from broadsheet.server import wiring
from broadsheet.server.ports_server import PortsServer
from broadsheet.server.worker import Worker


class Newsroom:
    """`application`: Django's pages; `ports`: the gate's questions; `worker`: the jobs, started with `jobs` alone."""

    def __init__(self, *, jobs: bool) -> None:
        wiring.open_newsroom()
        jobs_of_the_program.renew_edition()
        self.application = get_asgi_application()
        self.ports = PortsServer(wiring.gate_ports())
        self.worker = Worker(wiring.periodic())
        if jobs:
            self.worker.start()
