"""A real nginx with the shipped files, in front of a real paper whose address is https. Only paths and ports differ."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.papers import Browser, Paper, Reply, free_port

SHIPPED = Path(__file__).parent.parent.parent / "deploy" / "nginx"
NAME = "news.example"


TIMES, TIMES_AT = struct.Struct("@qqq"), 8  # in the head of an entry of nginx's cache, after its format's number


def program(name: str) -> str | None:
    """Where Debian keeps servers is not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def self_made_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "fullchain.pem", folder / "privkey.pem"


def put_in(text: str, **places: str) -> str:
    """`text` with every shipped path and port replaced; one that is not there any more is an error of the test."""
    for shipped, ours in places.items():
        if shipped not in text:
            raise AssertionError(f"the shipped file has no {shipped!r}")
        text = text.replace(shipped, ours)
    return text


class Front:
    """nginx in front of `paper`; `secure` and `clear` are its two ports."""

    def __init__(self, folder: Path, paper: Paper) -> None:
        self.folder, self.paper = folder, paper
        self.secure, self.clear = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("temp", "cache"):
            (folder / name).mkdir()
        self_made_certificate(folder / "certificates" / NAME, NAME, f"www.{NAME}")
        upstream = (SHIPPED / "upstream-same-machine.conf").read_text()
        (folder / "upstream.conf").write_text(put_in(upstream, **{"127.0.0.1:8000": f"127.0.0.1:{paper.port}"}))
        site = re.sub(r"^ *listen \[::\].*\n", "", (SHIPPED / "broadsheet.conf").read_text(), flags=re.MULTILINE)
        (folder / "broadsheet.conf").write_text(
            put_in(
                site,
                **{
                    "/etc/nginx/broadsheet-upstream.conf": str(folder / "upstream.conf"),
                    "/etc/letsencrypt/live": str(folder / "certificates"),
                    "/var/cache/nginx/broadsheet": str(folder / "cache"),
                    "/var/lib/letsencrypt": str(folder / "acme"),
                    "listen 80": f"listen 127.0.0.1:{self.clear}",
                    "listen 443": f"listen 127.0.0.1:{self.secure}",
                },
            )
        )
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/temp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            # The test's folder is its user's alone; Debian's www-data could not write the cache there.
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\n"
            f"events {{ worker_connections 256; }}\n"
            f"http {{ access_log {folder}/access.log; {temporary}\n include {folder}/broadsheet.conf; }}\n"
        )

    def command(self, *words: str) -> list[str]:
        return [str(program("nginx")), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *words]

    def check(self) -> str:
        """What `nginx -t` says, when it is content."""
        done = subprocess.run(self.command("-t"), capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stderr

    def start(self) -> Front:
        self.process = subprocess.Popen(self.command(), stderr=(self.folder / "stderr.log").open("ab"))
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.secure), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError((self.folder / "stderr.log").read_text() + (self.folder / "error.log").read_text())

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def browser(self) -> SecureBrowser:
        return SecureBrowser(self.secure)

    def let_pass(self, seconds: int) -> None:
        """What lies in the cache was fetched so much earlier: nginx reads the times of an entry when it is asked for."""
        for path in (self.folder / "cache").rglob("*"):
            if path.is_file():
                with path.open("r+b") as entry:
                    times = cache_times(entry.read(TIMES_AT + TIMES.size))
                    entry.seek(TIMES_AT)
                    entry.write(TIMES.pack(*(time - seconds for time in times)))

    def stored(self) -> dict[str, bytes]:
        """What lies in the cache: {key: the whole entry}."""
        found = {}
        for path in (self.folder / "cache").rglob("*"):
            if path.is_file():
                entry = path.read_bytes()
                found[entry.split(b"\nKEY: ", 1)[1].split(b"\n", 1)[0].decode()] = entry
        return found


def cache_times(entry: bytes) -> tuple[int, int, int]:
    """Until when an entry of nginx's cache is fresh, may be shown while a new one is fetched, or after an error."""
    return TIMES.unpack_from(entry, TIMES_AT)


def tls_line(port: int, name: str = NAME, protocols: tuple[str, ...] = ()) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname=name)


@dataclass
class SecureBrowser(Browser):
    """The same browser over TLS: it keeps only cookies that a browser would keep of an https site, and sends them all."""

    lines: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> Reply:
        sent = {"Host": NAME, **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        connection = http.client.HTTPConnection(NAME, timeout=20)
        connection.sock = tls_line(self.port)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body.encode() if body is not None else None)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        self.keep(reply)
        return reply

    def keep(self, reply: Reply) -> None:
        for line in reply.headers.get_all("Set-Cookie") or []:
            self.lines.append(line)
            name, _, rest = line.partition("=")
            value = rest.split(";")[0]
            if not name.startswith("__Host-") or "; Secure" not in line or "; Path=/" not in line or "Domain=" in line:
                continue  # no browser takes a __Host- cookie in another form, and we set no other
            if not value or value == '""' or "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def post(self, path: str, form: dict[str, str]) -> Reply:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{NAME}",
                   "Referer": f"https://{NAME}{path}"}  # fmt: skip
        return self.request("POST", path, headers, urlencode(form))


def sign_in(browser: Browser, paper: Paper, email: str) -> Reply:
    """Through the forms, with the code out of the letter."""
    form = browser.get("/account/sign-in/").text
    browser.post("/account/sign-in/", {"email": email, "csrfmiddlewaretoken": form_token(form)})
    letters = sorted((paper.folder / "letters").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", letters[-1].read_text()).group()
    page = browser.get("/account/sign-in/code/").text
    return browser.post("/account/sign-in/code/", {"code": code, "csrfmiddlewaretoken": form_token(page)})


def form_token(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
