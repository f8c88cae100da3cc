"""Where the processes of one installation meet: the public port, and two Unix sockets in a private folder.

Django-free.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from broadsheet.server.options import OptionError

BACKLOG = 2048
LONGEST_ADDRESS = 100  # a Unix socket's address holds 104 to 108 bytes, and a draft's name is a little longer


def run_folder(data: Path) -> Path:
    """`<data>/run`, or a folder in the temporary one named by the data folder when that path is too long.

    It is made, 0700 and ours; OptionError when somebody else's lies there.
    """
    folder = data / "run"
    if len(os.fsencode(folder / "newsroom.sock.0000000")) > LONGEST_ADDRESS:
        name = hashlib.blake2b(os.fsencode(data.resolve()), digest_size=8).hexdigest()
        folder = Path(tempfile.gettempdir()) / f"broadsheet-{os.getuid()}-{name}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise OptionError(f"{folder} is not a folder of this user's; the program's own sockets belong there.")
    if stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004
        folder.chmod(0o700)
    return folder


def newsroom_socket(data: Path) -> Path:
    """Where the gate hands over what is Django's."""
    return run_folder(data) / "newsroom.sock"


def ports_socket(data: Path) -> Path:
    """Where the gate asks its questions."""
    return run_folder(data) / "ports.sock"


def bind_public(host: str, port: int) -> socket.socket:
    """The listening socket that all gates of this machine accept from; OptionError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OptionError(f"port {port} on {host} cannot be listened on ({reason}).") from None
    listening.setblocking(False)
    return listening


class UnixListener:
    """Listens for this user alone; under its address only from `take_over()` on, until when another may serve there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f"{path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            self._draft.unlink()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(self._draft))
        self._draft.chmod(0o600)
        self._file = self._draft.stat().st_ino
        self.socket.listen(BACKLOG)
        self.socket.setblocking(False)

    def take_over(self) -> None:
        self._draft.rename(self._path)

    def is_replaced(self) -> bool:
        """Whether another listens under the address that this one has taken over before."""
        try:
            return self._path.stat().st_ino != self._file
        except FileNotFoundError:
            return False


def only_newsroom(data: Path) -> IO[str]:
    """A lock for as long as the returned file stays open: one newsroom a data folder. OptionError when it is taken."""
    folder = run_folder(data)
    held = (folder / "newsroom.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise OptionError(f"a newsroom is running on {data} already; one folder has one.") from None
    for left_behind in folder.glob("*.sock.*"):
        left_behind.unlink(missing_ok=True)
    return held


def check_tls(certificate: str, key: str) -> None:
    """OptionError when the two files cannot serve TLS; nothing when there are none."""
    if not certificate:
        return
    # A fifth of the supervisor's start, and most papers have a proxy in front.
    import ssl  # noqa: PLC0415

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:
        raise OptionError(f"tls_certificate and tls_key cannot be used: {error.strerror or error}.") from None


def _no_password() -> str:
    raise OSError("the key is encrypted; the program starts without anybody who could type its password")
