"""What a running paper shows of itself besides its port: other listeners, sockets others may open, files others may
read, letters and public stores with words that belong to nobody outside."""

from __future__ import annotations

import email
import gzip
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from email import policy
from pathlib import Path

from broadsheet.leakcheck.client import Ask, Site, UnreachableError
from broadsheet.leakcheck.walk import Walk

_LISTENING = "0A"
_PROC = Path("/proc")
MOST_INDEX = 50_000_000  # bytes of one file of the search index


def family(pid: int) -> list[int]:
    """A process and all below it. Only itself where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.parent.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, ())
    return found


def _inodes(pids: Sequence[int]) -> set[str]:
    found = set()
    for pid in pids:
        try:
            links = list((_PROC / str(pid) / "fd").iterdir())
        except OSError:
            continue
        for link in links:
            try:
                name = link.readlink().name
            except OSError:
                continue
            if name.startswith("socket:["):
                found.add(name[8:-1])
    return found


def listeners(pids: Sequence[int]) -> set[int]:
    """The TCP ports on which these processes listen."""
    ours = _inodes(pids)
    found = set()
    for table in ("tcp", "tcp6"):
        path = _PROC / "net" / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == _LISTENING and fields[9] in ours:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return found


def open_sockets(pids: Sequence[int]) -> Iterator[str]:
    """Unix sockets of these processes that another account of the machine could reach."""
    ours = _inodes(pids)
    table = _PROC / "net" / "unix"
    for line in table.read_text().splitlines()[1:] if table.exists() else ():
        fields = line.split()
        if len(fields) < 8 or fields[6] not in ours or not fields[7].startswith("/"):  # noqa: PLR2004
            continue
        path = Path(fields[7])
        closed = any(
            not folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH) for folder in path.parents if folder.exists()
        )
        if not closed and path.exists() and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield str(path)


async def exposure_round(walk: Walk, pid: int, port: int) -> None:
    """Nothing listens but the paper's one port, and what lies open holds no hidden words."""
    walk.probes += 1
    pids = family(pid)
    for other in sorted(listeners(pids) - {port}):
        try:
            answer = await Site(f"http://127.0.0.1:{other}", host=walk.a.site.host).send(Ask("/"))
            said = f"answers {answer.status}"
        except UnreachableError:
            said = "answers nothing"
        walk.report("", "machine", "another program", "listening ports", f"port {other} is open too and {said}")
    for path in open_sockets(pids):
        walk.report("", "machine", "another program", "Unix sockets", f"{path} can be opened by other accounts")
    data = walk.a.data
    if data is None:
        return
    for name in ("secret.key", "broadsheet.sqlite3", "press/full.sqlite3"):
        for path in (data / name, data.parent / name):
            if path.exists() and path.stat().st_mode & 0o004 and not _shut(path):
                walk.report("", "machine", "another program", "files", f"{name} can be read by other accounts")
    for letter in _letters(data):
        walk.probes += 1
        for find in walk.canaries.find(letter):
            walk.report(find.story, "letter", "whoever reads it", "at rest", f"words of {find.story}, {find.how}")
    for what, pieces in (("public store", _public_sheets(data)), ("search index", _index(data))):
        for piece in pieces:
            walk.probes += 1
            for story, word in walk.canaries.plainly(piece).items():
                walk.report(story, what, "whoever reads it", "at rest", f"words of {story}: {word}")


def _shut(path: Path) -> bool:
    return any(not folder.stat().st_mode & 0o001 for folder in path.parents)


def _letters(data: Path) -> Iterator[bytes]:
    """Letters to readers: each of them travels in the open and is forwarded."""
    for path in sorted((data / "letters").glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        text = "\n".join(str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text")
        yield f"{message['Subject']}\n{text}".encode()


def _public_sheets(data: Path) -> Iterator[bytes]:
    """Every sheet of the store from which anybody is served."""
    path = data / "press" / "public.sqlite3"
    if path.exists():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
            for (packed,) in store.execute("SELECT gzip FROM sheet"):
                yield gzip.decompress(packed)


def _index(data: Path) -> Iterator[bytes]:
    for file in sorted((data / "search").rglob("*")):
        if file.is_file() and file.stat().st_size < MOST_INDEX:
            yield file.read_bytes()
