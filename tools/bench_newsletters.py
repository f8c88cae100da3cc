"""Newsletters in bulk: how fast personal mails are composed and signed, and whether a sending that is killed twice
reaches everybody exactly once. `python -m tools.bench_newsletters [--mails 100000]`.

Works in a folder of its own below the temporary one. Anchors: the same mails built by Django and the standard library,
and signed by dkimpy where /usr/bin/python3 has it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
SINK = ROOT / "tools" / "smtp_sink.py"
STORIES = 12
BATCH = 400
ANCHOR = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--skip-sending", action="store_true", help="only compose and sign")
    parser.add_argument("--role", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.role == "send":
        return _send()
    folder = Path(tempfile.mkdtemp(prefix="bench-newsletters-"))
    try:
        return _run(args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _django(folder: Path, **options: str) -> None:
    os.environ |= {
        "BROADSHEET_DATA": str(folder),
        "BROADSHEET_DKIM_SELECTOR": "bench",
        "BROADSHEET_NEWSLETTER_RATE": "0",
    }
    os.environ |= {f"BROADSHEET_{name.upper()}": value for name, value in options.items()}
    from broadsheet.server.setup import start_django

    start_django()


def _run(args: argparse.Namespace, folder: Path) -> int:
    from broadsheet.newsletters.dkim import new_key

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "dkim-bench.pem").write_bytes(new_key("rsa"))
    _django(folder, email_url=f"smtp://127.0.0.1:{port}")
    issue = _fill(args.mails)
    print(f"{args.mails:,} addresses, one in ten with an account, half of these entitled; {STORIES} stories")
    _compose(issue, args.mails)
    _anchors(issue)
    return 0 if args.skip_sending else _deliver(issue, args.mails, folder, port)


def _fill(count: int) -> int:
    from broadsheet import clock
    from broadsheet.access.actions import grant_many
    from broadsheet.newsletters.actions import issues
    from broadsheet.newsletters.models import Address, List, SignUp
    from broadsheet.newsletters.values import Chosen
    from broadsheet.newsroom.actions import Copy, ensure_section, file_story
    from broadsheet.readers.models import Reader

    now = clock.now()
    ensure_section(name="National", slug="national")
    words = "The ferry board raised the night toll after a long sitting, and the clerk wrote it down. "
    stories = []
    for number in range(STORIES):
        body = "".join(f"<p>{number}.{part} {words * 4}</p>" for part in range(6))
        tier = ("free", "metered", "premium")[number % 3]
        copy = Copy(headline=f"Toll number {number}", standfirst=words, body_html=body, section="national", tier=tier)
        stories.append(file_story(copy=copy, now=now, publish=True))
    issues.ensure_default_lists()
    one = List.objects.get(slug="morning-brief")
    past = now - timedelta(days=1)
    for start in range(0, count, 5000):
        rows = range(start, min(count, start + 5000))
        Address.objects.bulk_create(Address(email=f"r{n:07}@x.example", created_at=past) for n in rows)
        ids = Address.objects.filter(email__gte=f"r{start:07}").order_by("email").values_list("pk", flat=True)[:5000]
        SignUp.objects.bulk_create(
            SignUp(list=one, address_id=pk, status="on", asked_at=past, confirmed_at=past) for pk in ids
        )
        readers = Reader.objects.bulk_create(
            Reader(email=f"r{n:07}@x.example", created_at=past, verified_at=past, password="!")
            for n in rows
            if not n % 10
        )
        until = now + timedelta(days=30)
        grant_many(
            rows=[
                (reader.pk, product, past, until, f"bench:{product}:{reader.pk}")
                for reader in readers[::2]
                for product in ("newsletters", "unlimited", "premium")
            ]
        )
    made = issues.begin_issue(list_id=one.pk, by=None, now=now)
    chosen = [Chosen(story, whole=place < 4) for place, story in enumerate(stories)]
    issues.write_issue(issue_id=made, subject="Bench", preheader="", intro="A short word.", stories=chosen)
    issues.schedule(issue_id=made, at=now, now=now)
    return made


def _compose(issue_id: int, count: int) -> None:
    """Rights, letter, MIME and signature of every mail, on one core; nothing is kept."""
    from broadsheet import clock
    from broadsheet.newsletters import queries
    from broadsheet.newsletters.models import Address
    from broadsheet.newsletters.post import Post
    from broadsheet.newsletters.words import facts

    issue = queries.issue(issue_id)
    assert issue is not None
    post, size, done, after = Post(issue), 0, 0, 0
    begun, memory = time.process_time(), _memory()
    while done < count:
        rows = list(Address.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "email")[:BATCH])
        after = rows[-1][0]
        now = clock.now()
        known = facts(issue.stories)
        for (pk, email), given in zip(rows, post.cuts(known, [row[1] for row in rows], now), strict=True):
            size += len(post.mail(post.skeleton(known, given, now), pk, email, now).data)
        done += len(rows)
        if done == BATCH:
            memory = _memory()
    seconds = time.process_time() - begun
    print(f"composed and signed  {done / seconds:8,.0f} mails/s of CPU   {size / done / 1024:.0f} kB each")
    print(f"memory               {memory:8,.0f} MB after the first batch, {_memory():,.0f} MB at the end")


def _memory() -> float:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _anchors(issue_id: int) -> None:
    """The same letter by Django's own classes, and by dkimpy."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from django.core.mail import EmailMultiAlternatives

    from broadsheet import clock
    from broadsheet.newsletters import queries
    from broadsheet.newsletters.dkim import load_key
    from broadsheet.newsletters.post import Post
    from broadsheet.newsletters.words import VISITOR, cut, facts

    issue, now = queries.issue(issue_id), clock.now()
    assert issue is not None
    known = facts(issue.stories)
    letter = Post(issue).letter(known, cut(issue.audience, known, VISITOR, now), now)
    key = load_key((Path(os.environ["BROADSHEET_DATA"]) / "dkim-bench.pem").read_bytes())
    begun = time.process_time()
    for _ in range(ANCHOR):
        key.sign(b"x" * 900, padding.PKCS1v15(), hashes.SHA256())
    print(f"RSA-2048 alone       {ANCHOR / (time.process_time() - begun):8,.0f} signatures/s")
    begun = time.process_time()
    mails = []
    for number in range(ANCHOR):
        headers = {"List-Unsubscribe": f"<https://x.example/u/{number}>", "Message-ID": f"<{number}@x.example>"}
        mail = EmailMultiAlternatives("Bench", letter.text, "a@x.example", [f"r{number}@x.example"], headers=headers)
        mail.attach_alternative(letter.html.replace("[[slot:address]]", f"r{number}@x.example"), "text/html")
        mails.append(mail.message().as_bytes(linesep="\r\n"))
    print(f"Django's MIME        {ANCHOR / (time.process_time() - begun):8,.0f} mails/s, unsigned")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mail").write_bytes(mails[0])
        (Path(folder) / "key").write_bytes(_traditional(Path(os.environ["BROADSHEET_DATA"]) / "dkim-bench.pem"))
        script = (
            "import sys, time, dkim\nmail, key = (open(sys.argv[1] + n, 'rb').read() for n in ('/mail', '/key'))\n"
            "begun = time.process_time()\nfor _ in range(100): dkim.sign(mail, b'bench', b'x.example', key)\n"
            "print(100 / (time.process_time() - begun))"
        )
        done = subprocess.run(["/usr/bin/python3", "-c", script, folder], capture_output=True, text=True, check=False)
        told = (
            f"{float(done.stdout):8,.0f} mails/s" if done.returncode == 0 else " not there (apt install python3-dkim)"
        )
        print(f"dkimpy's signature   {told}")


def _traditional(path: Path) -> bytes:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(path.read_bytes(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _send() -> int:
    """A sender's process of its own; says how much memory it took."""
    _django(Path(os.environ["BROADSHEET_DATA"]))
    from broadsheet.newsletters.jobs import send_due

    first = _memory()
    send_due()
    print(json.dumps({"first": first, "most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    return 0


def _lines(log: Path) -> int:
    """How many mails the sink has taken."""
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _deliver(issue_id: int, count: int, folder: Path, port: int) -> int:
    log = folder / "maillog"
    log.touch()
    with subprocess.Popen([sys.executable, str(SINK), str(port), str(log)], stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        sink.stdout.readline()
        try:
            return _kill_twice(issue_id, count, log)
        finally:
            sink.kill()


def _kill_twice(issue_id: int, count: int, log: Path) -> int:
    from broadsheet import clock
    from broadsheet.newsletters import queries
    from broadsheet.newsletters.actions import sending
    from broadsheet.newsletters.models import Issue
    from broadsheet.newsletters.post import message_name

    command = [sys.executable, "-m", "tools.bench_newsletters", "--role", "send"]
    begun, told = time.monotonic(), {}
    for share in (1 / 3, 2 / 3, 2):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as sender:
            while sender.poll() is None and _lines(log) < share * count:
                time.sleep(0.2)
            if sender.poll() is None:
                os.kill(sender.pid, signal.SIGKILL)
                print(f"killed               {_lines(log):8,} mails were taken")
            elif sender.stdout is not None:
                told = json.loads(sender.stdout.read() or "{}")
        Issue.objects.filter(pk=issue_id).update(leased_until=None)  # its lease lapses after a minute
    seconds = time.monotonic() - begun
    issue = queries.issue(issue_id)
    assert issue is not None
    names = dict(line.split() for line in log.read_text().splitlines())
    twice = _lines(log) - len(names)
    print(
        f"handed over          {_lines(log):8,} mails in {seconds:,.0f} s ({_lines(log) / seconds:,.0f}/s, sink included)"
    )
    print(f"the last sender      {told.get('most', 0):8,.0f} MB at most, {told.get('first', 0):,.0f} MB when it began")
    print(f"in doubt             {issue.doubtful:8,} after two kills; second copies {twice}")
    known = {name.strip("<>").partition("@")[0] for name in names.values()}
    arrived, again = sending.settle(
        issue_id=issue_id,
        arrived=lambda ids: [pk for pk in ids if message_name(issue_id, pk) in known],
        before=clock.now() + timedelta(minutes=1),
    )
    if again:
        Issue.objects.filter(pk=issue_id).update(leased_until=None)
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    names = [line.split()[0] for line in log.read_text().splitlines()]
    exactly = len(names) == len(set(names)) == count
    print(f"settled by the log   {arrived} had arrived, {again} sent again; everybody exactly once: {exactly}")
    return 0 if exactly and not twice else 1


if __name__ == "__main__":
    sys.exit(main())
