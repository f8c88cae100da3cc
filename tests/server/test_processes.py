"""The program as processes: each is killed while readers read, and each is replaced under load."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.papers import Paper
from tests.postgres import a_postgres

from broadsheet.server.sockets import newsroom_socket, run_folder

KILLED = (
    "from broadsheet import clock\nfrom broadsheet.newsroom.actions import withdraw_story\n"
    "withdraw_story(story_id={id}, reason='killed', now=clock.now())"
)
SIGN_IN = """
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from tests import make
from broadsheet import clock
from broadsheet.access.actions import grant
from broadsheet.server import passports
reader = make.reader("{email}")
grant(reader_id=reader.pk, product="unlimited", starts_at=clock.now(), ends_at=None, source="test:{email}")
session = SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(reader.pk), "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = reader.get_session_auth_hash()
session.save()
result = {{"bss": session.session_key, "bsp": passports.issue(session.session_key)}}
"""


def processes(parent):
    """{process id: its command line} of what `parent` has started and what those have."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            words = folder.joinpath("cmdline").read_bytes().decode().replace("\0", " ")
        except (OSError, ValueError):
            continue
        found[int(folder.name)] = (ppid, words)
    return {pid: words for pid, (ppid, words) in found.items() if ppid == parent}


def of_role(paper, role):
    return sorted(pid for pid, words in processes(paper.process.pid).items() if f"{role}_process" in words)


def until(condition, longest=180.0):
    end = time.monotonic() + longest
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return value


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def started(folder, *words, **options):
    paper = Paper(folder / "data", **options).init()
    stories = paper.stories(*[{"headline": f"Metered story number {n}"} for n in range(1, 13)])
    payer = paper.python(SIGN_IN.format(email="payer@reader.example"))
    paper.start(*words)
    return paper, stories, payer


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two gate workers, a newsroom, and a subscriber's cookies."""
    paper, stories, payer = started(tmp_path_factory.mktemp("processes"), gate_workers="2")
    until(lambda: len(of_role(paper, "gate")) == 2)
    for story in stories:
        assert read(paper, story["path"], payer).variant == "full"
    yield paper, stories, payer
    paper.stop()


def settled(paper):
    """Whether as many processes run as should, and the newsroom answers."""
    return [len(of_role(paper, role)) for role in ("gate", "newsroom")] == [2, 1] and read(
        paper, "/healthz"
    ).status == 200


def read(paper, path, cookies=None):
    browser = paper.browser()
    browser.cookies = dict(cookies or {})
    return browser.get(path)


class Readers:
    """Subscribers who read all the time; `wrong` holds every answer that was not the whole story."""

    def __init__(self, paper, paths, cookies, clients=4):
        self.paper, self.paths, self.cookies = paper, paths, cookies
        self.wrong, self.slowest, self.answers = [], 0.0, 0
        self.refused = 0  # connections that were cut: a killed process takes its own with it
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        until(lambda: self.answers > 20)
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a reader waits for ever"

    def _read(self):
        number = 0
        while not self._stop.is_set():
            number += 1
            path = self.paths[number % len(self.paths)]
            begin = time.monotonic()
            try:
                reply = read(self.paper, path, self.cookies)
            except OSError:
                self.refused += 1
                time.sleep(0.01)
                continue
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.answers += 1
            time.sleep(0.005)
            if (reply.status, reply.variant) != (200, "full"):
                self.wrong.append((path, reply.status, reply.variant, reply.reason))


def paths(stories):
    return [story["path"] for story in stories]


def test_a_gate_worker_has_no_django_and_stays_small(running):
    paper, _, _ = running
    code = "import sys, broadsheet.server.gate_process; print([n for n in ('django', 'wagtail', 'psycopg') if n in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
    for pid in of_role(paper, "gate"):
        status = Path(f"/proc/{pid}/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0])
        assert resident < 70 * 1024, f"{resident // 1024} MB"
        assert "django" not in Path(f"/proc/{pid}/maps").read_text()


def test_both_workers_answer_on_the_one_port(running):
    paper, stories, payer = running

    def used():
        ticks = [
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in of_role(paper, "gate")
        ]
        return [sum(map(int, pair)) for pair in ticks]

    before = used()
    with Readers(paper, paths(stories), payer, clients=8) as readers:
        until(lambda: all(now > then + 2 for now, then in zip(used(), before, strict=True)))
    assert readers.wrong == []


def test_the_sockets_of_the_program_are_the_owners_alone(running):
    paper, _, _ = running
    folder = run_folder(paper.folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("newsroom.sock", "ports.sock"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["/ports", "/issue_passport", "/run/ports.sock", "/..%2frun/ports.sock"])
def test_the_ports_cannot_be_reached_through_the_public_port(running, path):
    paper, _, _ = running
    connection = socket.create_connection(("127.0.0.1", paper.port), timeout=10)
    connection.sendall(b'["issue_passport","x"]\n')
    assert b"value" not in connection.recv(4096)
    connection.close()
    assert paper.browser().request("POST", path, body='["issue_passport","x"]').status in (301, 400, 403, 404, 405)


def test_a_killed_gate_worker_is_replaced_and_payers_read_on(running):
    paper, stories, payer = running
    before = of_role(paper, "gate")
    with Readers(paper, paths(stories), payer) as readers:
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(of_role(paper, "gate")) == 2 and before[0] not in of_role(paper, "gate"))
        at = readers.answers
        until(lambda: readers.answers > at + 50)
    assert readers.wrong == []
    assert readers.refused <= 4  # what the killed one held in its hands, at most one a client
    assert readers.slowest < 20


def test_while_the_newsroom_is_killed_payers_read_on_and_pages_come_back(running):
    paper, stories, payer = running
    (before,) = of_role(paper, "newsroom")
    with Readers(paper, paths(stories), payer) as readers:
        os.kill(before, signal.SIGKILL)
        begin = time.monotonic()
        reply = paper.browser().get("/healthz")
        assert (reply.status, reply.text) == (503, "newsroom: not reachable\n")
        assert time.monotonic() - begin < 2
        until(lambda: of_role(paper, "newsroom") not in ([], [before]))
        until(lambda: settled(paper))
    assert (readers.wrong, readers.refused) == ([], 0)
    assert paper.browser().get("/account/").status in (200, 302)


def test_a_lapsed_passport_and_a_dead_newsroom_do_not_hang(running):
    paper, stories, payer = running
    (before,) = of_role(paper, "newsroom")
    os.kill(before, signal.SIGSTOP)  # nothing is started in its place: it is there and does not answer
    try:
        begin = time.monotonic()
        assert read(paper, stories[0]["path"], payer).variant == "full"
        assert time.monotonic() - begin < 2
    finally:
        os.kill(before, signal.SIGCONT)
    until(lambda: settled(paper))


def test_a_reload_under_load_loses_no_request(running):
    paper, stories, payer = running
    gates, newsroom = of_role(paper, "gate"), of_role(paper, "newsroom")
    with Readers(paper, paths(stories), payer, clients=4) as readers, Asking(paper) as asking:
        paper.process.send_signal(signal.SIGHUP)
        until(lambda: not set(of_role(paper, "gate")) & set(gates) and len(of_role(paper, "gate")) == 2)
        until(lambda: len(of_role(paper, "newsroom")) == 1 and of_role(paper, "newsroom") != newsroom)
        at = readers.answers
        until(lambda: readers.answers > at + 50)
    assert (readers.wrong, readers.refused, readers.slowest < 20) == ([], 0, True)
    assert (asking.wrong, asking.answers > 3) == ([], True)


class Asking:
    """Keeps one connection to a page of Django's and one to a story as long as the server does."""

    def __init__(self, paper):
        self.paper, self.wrong, self.answers = paper, [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self):
        self._thread.start()
        until(lambda: self.answers > 1)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)

    def _ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.paper.port, timeout=20)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/robots.txt", headers={"Host": f"localhost:{self.paper.port}"})
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.wrong.append(repr(error))
                connection.close()
                continue
            self.answers += 1
            time.sleep(0.02)
            if answer.status != 200:
                self.wrong.append(answer.status)
            if answer.will_close:
                connection.close()


def test_a_reload_takes_new_options_and_refuses_bad_ones(running):
    paper, stories, payer = running
    file = paper.folder / "broadsheet.toml"
    kept = file.read_text("utf-8")
    gates = of_role(paper, "gate")
    try:
        file.write_text(kept + '\nmeter_window = "sometimes"\n', "utf-8")
        paper.process.send_signal(signal.SIGHUP)
        until(lambda: "The options were not reloaded: meter_window" in (paper.folder / "stderr.log").read_text())
        assert of_role(paper, "gate") == gates
        with Readers(paper, paths(stories), payer, clients=2) as readers:
            file.write_text(kept + "\nfree_limit = 1\n", "utf-8")
            replaced(paper, readers)
            browser = paper.browser()
            assert [browser.get(story["path"]).variant for story in stories[:2]] == ["full", "wall"]
            # The newsroom that leaves prints another edition than the one that comes. No reader may fall between them.
            file.write_text(kept, "utf-8")
            replaced(paper, readers)
        assert (readers.wrong, readers.refused) == ([], 0)
    finally:
        file.write_text(kept, "utf-8")


def replaced(paper, readers):
    """Reload, and return when the old processes are gone and readers have had the new ones for a while."""
    old = set(processes(paper.process.pid))
    paper.process.send_signal(signal.SIGHUP)
    until(lambda: not set(processes(paper.process.pid)) & old and settled(paper))
    at = readers.answers
    until(lambda: readers.answers > at + 200)


def test_a_kill_reaches_every_worker_within_a_second(running):
    paper, stories, payer = running
    story = stories.pop()
    assert read(paper, story["path"], payer).variant == "full"
    begin = "from broadsheet.server.setup import start_django\nstart_django()\nprint('ready', flush=True)\ninput()\n"
    script = begin + KILLED.format(id=story["id"])
    writer = subprocess.Popen([sys.executable, "-c", script + "\nprint('done', flush=True)"], env=paper.env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert writer.stdout.readline().strip() == "ready"  # what is measured begins at the commit
    writer.stdin.write("\n")
    writer.stdin.flush()
    assert writer.stdout.readline().strip() == "done"
    time.sleep(1.0)
    # Fresh connections go to whichever worker is free: forty of them reach both.
    assert {read(paper, story["path"], payer).status for _ in range(40)} == {410}
    writer.wait(20)


def test_sign_in_and_forms_work_through_the_gate(running):
    paper, _, _ = running
    browser = paper.browser()
    admin = browser.get("/admin/login/")
    assert (admin.status, "csrfmiddlewaretoken" in admin.text) == (200, True)
    token = admin.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    wrong = browser.post(
        "/admin/login/", {"username": "editor@localhost", "password": "no", "csrfmiddlewaretoken": token}
    )
    assert wrong.status == 200
    foreign = browser.request(
        "POST",
        "/admin/login/",
        {"Origin": "http://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
        "a=b",
    )
    assert foreign.status == 403


def test_nothing_outlives_a_killed_supervisor(tmp_path):
    paper, stories, payer = started(tmp_path, gate_workers="2")
    children = list(processes(paper.process.pid))
    assert len(children) == 3
    with Readers(paper, paths(stories), payer, clients=2):
        paper.process.kill()
        paper.process.wait(10)
        until(lambda: not any(is_alive(pid) for pid in children), 15)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", paper.port), timeout=2)


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_stop_is_graceful_and_leaves_nothing(tmp_path, how, status):
    paper, stories, payer = started(tmp_path)
    children = list(processes(paper.process.pid))
    idle = http.client.HTTPConnection("127.0.0.1", paper.port, timeout=10)
    idle.request("GET", stories[0]["path"], headers={"Host": f"localhost:{paper.port}"})
    assert idle.getresponse().read()
    begin = time.monotonic()
    paper.process.send_signal(how)
    assert paper.process.wait(12) == status
    assert time.monotonic() - begin < 10
    assert not any(is_alive(pid) for pid in children)
    assert "Traceback" not in (paper.folder / "stderr.log").read_text()
    paper.start()  # the port is free again, and no socket or lock stands in the way
    assert read(paper, stories[0]["path"], payer).variant == "full"
    paper.stop()


def test_each_role_works_in_a_program_of_its_own(tmp_path):
    paper = Paper(tmp_path / "data").init()
    (story,) = paper.stories({"headline": "Metered story"})
    words = [sys.executable, "-m", "broadsheet", "--quiet", "serve", "--role"]
    log = (tmp_path / "log").open("ab")
    parts = {role: subprocess.Popen([*words, role], env=paper.env, stderr=log) for role in ("gate", "newsroom", "work")}
    try:
        until(lambda: newsroom_socket(paper.folder).exists())
        paper.wait_ready()
        assert paper.browser().get(story["path"]).variant == "full"
        assert paper.browser().get("/robots.txt").status == 200
        refused = subprocess.run(
            [*words, "newsroom"], env=paper.env, capture_output=True, text=True, timeout=30, check=False
        )
        assert refused.returncode == 2
        assert "is running on" in refused.stderr
        parts["newsroom"].terminate()
        assert parts["newsroom"].wait(15) == 0
        assert paper.browser().get(story["path"]).variant == "full"
        assert paper.browser().get("/healthz").status == 503
    finally:
        for part in parts.values():
            part.terminate()
        statuses = {role: part.wait(15) for role, part in parts.items()}
        log.close()
    assert statuses == {"gate": 0, "newsroom": 0, "work": 0}


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"secret_key_file": "broken"}, 2, "64 hexadecimal digits"),
        ({"database_url": "postgres://nobody@127.0.0.1:1/none"}, 3, "database cannot be used"),
        ({"email_url": "ftp://x"}, 2, "email"),
        ({"tls_certificate": "none.pem", "tls_key": "none.pem"}, 2, "tls_certificate"),
        ({"tls_certificate": "none.pem"}, 2, "belong together"),
    ],
)
def test_what_keeps_the_newsroom_from_starting_stops_everything_with_its_reason(tmp_path, options, status, words):
    paper = Paper(tmp_path / "data").init()
    (tmp_path / "broken").write_text("short")
    if "secret_key_file" in options:
        options = {"secret_key_file": str(tmp_path / "broken")}
    done = paper.run("serve", check=False, env={f"BROADSHEET_{name.upper()}": value for name, value in options.items()})
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_deep_folder_has_its_sockets_in_a_private_one(tmp_path):
    deep = tmp_path / ("a-long-name-" * 8)
    deep.mkdir()
    paper, stories, payer = started(deep)
    try:
        assert not (paper.folder / "run").exists()
        assert read(paper, stories[0]["path"], payer).variant == "full"
        assert paper.browser().get("/robots.txt").status == 200
    finally:
        paper.stop()


def test_tls_is_ended_by_the_program_itself(tmp_path):
    import ssl

    paper = Paper(tmp_path / "data")
    certificate, key = self_made(tmp_path)
    paper.env |= {
        "BROADSHEET_PUBLIC_URL": f"https://localhost:{paper.port}",
        "BROADSHEET_TLS_CERTIFICATE": str(certificate),
        "BROADSHEET_TLS_KEY": str(key),
    }
    paper.init()
    (story,) = paper.stories({"headline": "Metered story"})
    paper.process = subprocess.Popen([sys.executable, "-m", "broadsheet", "--quiet", "serve"], env=paper.env)
    trusting = ssl.create_default_context(cafile=certificate)

    def get(path):
        connection = http.client.HTTPSConnection("localhost", paper.port, timeout=20, context=trusting)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    try:
        until(lambda: answers(lambda: get("/healthz")[0].status == 200))
        answer, _ = get(story["path"])
        assert (answer.status, answer.headers["Broadsheet-Variant"]) == (200, "full")
        assert answer.headers["Set-Cookie"].startswith("__Host-bsm=")
        answer, _ = get("/admin/login/")
        assert "Secure" in answer.headers["Set-Cookie"]
        # In the clear nothing is said at all: the port speaks TLS.
        with socket.create_connection(("127.0.0.1", paper.port), timeout=5) as plain, suppress(ConnectionResetError):
            plain.sendall(f"GET {story['path']} HTTP/1.1\r\nHost: localhost:{paper.port}\r\n\r\n".encode())
            assert plain.recv(4096) == b""
    finally:
        paper.stop()


def answers(question):
    try:
        return question()
    except OSError:
        return False


@pytest.mark.postgres
def test_while_the_database_is_away_payers_read_on_and_a_kill_arrives_when_it_is_back(tmp_path):
    with a_postgres() as server:
        paper, stories, payer = started(tmp_path, gate_workers="2", database_url=server.ready("paper"))
        try:
            for story in stories:
                assert read(paper, story["path"], payer).variant == "full"
            server.stop()
            with Readers(paper, paths(stories), payer, clients=2) as readers:
                until(lambda: read(paper, "/healthz").text == "database: not reachable\n")
                killed = of_role(paper, "gate")[0]
                os.kill(killed, signal.SIGKILL)
                until(lambda: len(of_role(paper, "gate")) == 2 and killed not in of_role(paper, "gate"))
                at = readers.answers
                until(lambda: readers.answers > at + 50)
            assert readers.wrong == []
            server.start()
            until(lambda: settled(paper))
            gone = stories[0]
            paper.python(KILLED.format(id=gone["id"]))
            until(lambda: {read(paper, gone["path"], payer).status for _ in range(20)} == {410}, 30)
        finally:
            paper.stop()


def self_made(folder):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))  # fmt: skip
    return certificate, secret
