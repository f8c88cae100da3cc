"""The nginx beside the gate: one static server for each way of dressing the same bytes, and a page cache."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench_gate.machine import BenchError, is_listened_on, listeners, need, tree
from tools.bench_gate.paper import Reply

_OWN = frozenset({"date", "server", "content-type", "content-length", "content-encoding", "connection", "etag",
                  "last-modified", "transfer-encoding", "accept-ranges"})  # fmt: skip
TEMPLATE = Path(__file__).parent / "nginx.conf"


@dataclass(frozen=True, slots=True)
class Dress:
    """A static server of nginx's: its port and the headers it sends besides its own."""

    port: int
    headers: tuple[tuple[str, str], ...]
    certificate: Path | None = None

    def text(self, root: Path) -> str:
        lines = "".join(f'        add_header {name} "{_quoted(value)}";\n' for name, value in self.headers)
        return f"    server {{\n{_listen(self.port, self.certificate)}        root {root};\n{lines}    }}\n"


@dataclass(frozen=True, slots=True)
class Front:
    """nginx in front of the gate, ending TLS, as deploy/nginx does it without its cache."""

    port: int
    gate: int
    certificate: Path

    def text(self, _root: Path) -> str:
        return (
            f"    upstream gate {{\n        server 127.0.0.1:{self.gate};\n        keepalive 64;\n"
            "        keepalive_requests 1000000000;\n    }\n"
            f"    server {{\n{_listen(self.port, self.certificate)}        location / {{\n"
            "            proxy_pass http://gate;\n            proxy_http_version 1.1;\n"
            '            proxy_set_header Connection "";\n            proxy_set_header Host $http_host;\n'
            "            proxy_set_header X-Forwarded-For $remote_addr;\n"
            "            proxy_set_header X-Forwarded-Proto https;\n"
            "            proxy_buffers 16 16k;\n            proxy_buffer_size 16k;\n        }\n    }\n"
        )


@dataclass(frozen=True, slots=True)
class Cache:
    """A page cache as publishers run it in front of a peer: key = the path, whoever asks."""

    port: int
    origin: int
    name: str

    def text(self, _root: Path) -> str:
        return (
            f"    server {{\n        listen 127.0.0.1:{self.port};\n        location / {{\n"
            f"            proxy_pass http://127.0.0.1:{self.origin};\n"
            f"            proxy_cache pages;\n            proxy_cache_key {self.name}$uri;\n"
            "            proxy_cache_valid 200 1h;\n"
            "            proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;\n"
            "            proxy_http_version 1.1;\n            proxy_set_header Accept-Encoding gzip;\n"
            "            add_header X-Cache $upstream_cache_status;\n        }\n    }\n"
        )


def _listen(port: int, certificate: Path | None) -> str:
    if certificate is None:
        return f"        listen 127.0.0.1:{port};\n"
    key = certificate.with_name("key.pem")
    return (
        f"        listen 127.0.0.1:{port} ssl;\n        ssl_certificate {certificate};\n"
        f"        ssl_certificate_key {key};\n        ssl_protocols TLSv1.2 TLSv1.3;\n"
    )


def make_certificate(folder: Path) -> Path:
    """A certificate of the day for localhost, its key beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "")


def dress(reply: Reply, spare: int = 0) -> tuple[tuple[str, str], ...]:
    """The headers of the gate's answer, for nginx to send too. `spare`: bytes by which nginx's answer with them is
    longer (cut off the longest header) or shorter (a header more)."""
    headers = {name.title(): value for name, value in reply.headers.items() if name not in _OWN}
    if spare > 0:
        longest = max(headers, key=lambda name: len(headers[name]))
        headers[longest] = headers[longest][: max(1, len(headers[longest]) - spare)].rstrip() or "x"
    elif spare < 0:
        headers["X-Pad"] = "x" * max(1, -spare - len("X-Pad: \r\n"))
    return tuple(headers.items())


class Nginx:
    """One nginx with its own configuration in `folder`, pinned to a core."""

    def __init__(self, folder: Path, core: int, *, sendfile: bool = False) -> None:
        self.folder, self.core, self.sendfile = folder, core, sendfile
        self.root = folder / "site"
        self.process: subprocess.Popen[bytes] | None = None
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("site", "pages", "body", "proxy"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def lay_out(self, kind: str, path: str, reply: Reply) -> None:
        """Put an answer of the gate's where nginx will find it: /full/… or /wall/…, plain and gzipped."""
        place = self.root / kind / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(reply.plain)
        place.with_name(place.name + ".gz").write_bytes(reply.body)

    def start(self, servers: Sequence[Dress | Cache | Front]) -> None:
        self.stop()
        busy = [server.port for server in servers if is_listened_on(server.port)]
        if busy:
            raise BenchError(f"port {busy[0]} is taken")
        text = TEMPLATE.read_text()
        for name, value in {
            "user": "user root;" if os.geteuid() == 0 else "",
            "folder": str(self.folder),
            "sendfile": "on" if self.sendfile else "off",
            "servers": "".join(server.text(self.root) for server in servers),
        }.items():
            text = text.replace(f"@{name}@", value)
        conf = self.folder / "nginx.conf"
        conf.write_text(text)
        command = ["taskset", "-c", str(self.core), need("nginx"), "-p", str(self.folder), "-c", str(conf)]
        command += ["-e", str(self.folder / "error.log")]
        with (self.folder / "stderr.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while len(self.pids()) < 2 or not all(is_listened_on(server.port) for server in servers):  # noqa: PLR2004
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise BenchError(f"nginx did not start: {(self.folder / 'stderr.log').read_text()[-1000:]}")
            time.sleep(0.05)
        for server in servers:
            if not listeners(server.port, self.pids()):
                raise BenchError(f"port {server.port} is answered by a process that is not ours")

    def pids(self) -> list[int]:
        return tree(self.process.pid) if self.process and self.process.poll() is None else []

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.process = None
