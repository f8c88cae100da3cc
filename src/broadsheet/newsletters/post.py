"""An issue as mails: its headers, the prepared letter of each audience, and the road they take."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from broadsheet.access.queries import asking_many
from broadsheet.access.rules import Request, Right
from broadsheet.ids import keyed_digest
from broadsheet.mail.rules import settings_from_url
from broadsheet.newsletters.actions.issues import ensure_links
from broadsheet.newsletters.adapters import Line, Mail
from broadsheet.newsletters.adapters.backend import FOLDER, BackendLine
from broadsheet.newsletters.adapters.smtp import SmtpLine
from broadsheet.newsletters.dkim import DkimError, Signer, load_key
from broadsheet.newsletters.letter import Letter, compose, hrefs, words_of
from broadsheet.newsletters.queries import tokens
from broadsheet.newsletters.skeleton import Own, Skeleton, date_header, sender
from broadsheet.newsletters.values import IssueCard
from broadsheet.newsletters.words import VISITOR, Cut, Facts, cut
from broadsheet.readers.queries import readers_by_emails

MOST_VARIANTS = 64
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


def from_address() -> str:
    """Whom newsletters are from."""
    return parseaddr(settings.BROADSHEET.newsletter_from or settings.DEFAULT_FROM_EMAIL)[1]


def dkim_key_path() -> Path:
    options = settings.BROADSHEET
    return Path(options.dkim_key_file or options.data / f"dkim-{options.dkim_selector or 'broadsheet'}.pem")


@lru_cache(maxsize=4)
def _signer(path: str, changed: float, domain: str, selector: str) -> Signer:  # noqa: ARG001 - a new file, a new signer
    return Signer(load_key(Path(path).read_bytes()), domain=domain, selector=selector)


def signer() -> Signer | None:
    """None when the publisher has not set signing up: then the mail server may sign. DkimError for a broken key."""
    options = settings.BROADSHEET
    if not options.dkim_selector:
        return None
    path = dkim_key_path()
    domain = options.dkim_domain or from_address().rpartition("@")[2]
    try:
        return _signer(str(path), path.stat().st_mtime, domain, options.dkim_selector)
    except OSError as error:
        raise DkimError(f"the key {path.name} cannot be read: {error.strerror}") from None


def message_id(issue_id: int, address_id: int) -> str:
    """The same each time: a mailbox that got a mail twice all the same shows it once."""
    return f"<{message_name(issue_id, address_id)}@{settings.BROADSHEET.public_host.split(':')[0]}>"


def message_name(issue_id: int, address_id: int) -> str:
    # By the oldest secret, which rotation keeps longest: an issue that goes on after it must not get other names.
    name = f"n{issue_id}.{address_id}"
    return f"{name}.{keyed_digest(settings.BROADSHEET_SECRET, 'newsletter-mail', name.encode(), 6).hex()}"


def open_line() -> Line:
    """A connection of its own to where newsletters go."""
    url = settings.BROADSHEET.newsletter_email_url
    if url:
        made = settings_from_url(url)
    else:
        names = ("BACKEND", "HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL", "TIMEOUT", "FILE_PATH")
        made = {f"EMAIL_{name}": getattr(settings, f"EMAIL_{name}", None) for name in names}
    if made["EMAIL_BACKEND"] == _SMTP:
        return SmtpLine(made)
    folder = {"file_path": made["EMAIL_FILE_PATH"]} if made["EMAIL_BACKEND"] == FOLDER else {}
    return BackendLine(made["EMAIL_BACKEND"], **folder)


class Post:
    """An issue's mails. Letters are prepared once for each cut of the stories and kept while they are true."""

    def __init__(self, issue: IssueCard, *, counted: bool = True, subject_before: str = "") -> None:
        options = settings.BROADSHEET
        self.issue = issue
        self._counted, self._before = counted, subject_before
        self._skeletons: dict[Cut, Skeleton] = {}
        self._signer = signer()
        self._tokens = tokens()
        self._public = options.public_url
        self._host = options.public_host.split(":")[0]
        self._from = from_address()
        self._return = options.bounce_address

    def cuts(self, known: Facts, emails: Sequence[str], now: datetime) -> list[Cut]:
        """What each of these addresses gets, by the rights its reader has at this moment."""
        accounts = readers_by_emails(emails)
        open_ones = [pk for pk, is_open in accounts.values() if is_open]
        asking = asking_many(open_ones, now)
        made: dict[Request, Cut] = {}
        out = []
        for email in emails:
            pk, is_open = accounts.get(email, (0, False))
            request = _just_now(asking[pk], now) if is_open and pk in asking else VISITOR
            if request not in made:
                made[request] = cut(self.issue.audience, known, request, now)
            out.append(made[request])
        return out

    def skeleton(self, known: Facts, given: Cut, now: datetime) -> Skeleton:
        """The prepared mail of a cut."""
        if given not in self._skeletons:
            if len(self._skeletons) >= MOST_VARIANTS:
                self._skeletons.pop(next(iter(self._skeletons)))
            self._skeletons[given] = self._prepared(self.letter(known, given, now), now)
        return self._skeletons[given]

    def letter(self, known: Facts, given: Cut, now: datetime) -> Letter:
        words = words_of(self.issue, known, given, now)
        opened = ""
        if not self._counted:
            return compose(words)
        if settings.BROADSHEET.newsletter_opens == "on":
            opened = f"{self._public}/newsletters/open/{self._tokens.make('o', issue=self.issue.id)}"
        return compose(words, links=self._links(hrefs(compose(words).html)), open_url=opened)

    def _links(self, urls: Sequence[str]) -> dict[str, str]:
        ids = ensure_links(issue_id=self.issue.id, urls=urls)
        make = self._tokens.make
        return {url: f"{self._public}/newsletters/go/{make('g', pk, self.issue.id)}" for url, pk in ids.items()}

    def _prepared(self, letter: Letter, now: datetime) -> Skeleton:
        issue = self.issue
        headers = [
            ("From", sender(issue.from_name, self._from)),
            ("Subject", f"{self._before}{letter.subject}"),
            ("Date", date_header(issue.started_at or now)),
            ("List-Id", f"<{issue.list_slug}.newsletters.{self._host}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Feedback-ID", f"{issue.number}:{issue.list_slug}:newsletter:{self._host}"),
            ("Precedence", "bulk"),
            ("Auto-Submitted", "auto-generated"),
        ]
        boundary = "=_" + hashlib.blake2b(f"{issue.id} {letter.subject}".encode(), digest_size=12).hexdigest()
        return Skeleton(headers=headers, text=letter.text, html=letter.html, boundary=boundary, signer=self._signer)

    def mail(self, skeleton: Skeleton, address_id: int, email: str, at: datetime) -> Mail:
        """One recipient's mail, signed."""
        issue, make = self.issue, self._tokens.make
        token = make("m", address_id, issue.id, issue.list_id)
        leave = f"{self._public}/newsletters/u/{token}"
        own = Own(
            address=email,
            message_id=message_id(issue.id, address_id),
            list_unsubscribe=f"<{leave}>",
            links={"unsubscribe": leave, "preferences": f"{self._public}/newsletters/mine/{token}"},
        )
        return Mail(self.return_path(address_id), email, skeleton.fill(own, at))

    def return_path(self, address_id: int) -> str:
        """Where a bounce goes: an address that says whose it is, if the publisher has one for that."""
        if not self._return:
            return self._from
        name, _, host = self._return.rpartition("@")
        return f"{name}+{self._tokens.make_return(address_id, self.issue.id)}@{host}"


def _just_now(request: Request, now: datetime) -> Request:
    """The rights that hold now and nothing else of the reader: equal ones are decided once."""
    held = {right.product for right in request.rights if right.start <= now and (right.end is None or now < right.end)}
    return request._replace(rights=tuple(Right(product, now, None) for product in sorted(held)))
