"""Background entries of newsletters: letters that ask for a confirmation, issues by rule, the sender's thread."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import close_old_connections, connection

from broadsheet import clock
from broadsheet.dates import parse_instant
from broadsheet.mail import Letter, send
from broadsheet.newsletters import queries
from broadsheet.newsletters.actions import issues, sending, signups
from broadsheet.newsletters.events import SendingTroubled, SignUpAsked
from broadsheet.newsletters.rules import CONFIRM_DAYS
from broadsheet.newsletters.sender import Sender
from broadsheet.readers.queries import administrators

log = logging.getLogger(__name__)

FORGOTTEN_AT_ONCE = 10  # steps
AT_ONCE = 4  # issues a process sends side by side, so that a long list does not hold up the others
_senders: dict[int, threading.Thread] = {}


def send_confirmation(event: SignUpAsked) -> None:
    """Ask whether the address is theirs. Whoever did not sign up ignores it and hears nothing more."""
    card = queries.address(event.address_id)
    if card is None or card.suppressed == "manual":
        return
    paper, base = settings.BROADSHEET.name, settings.BROADSHEET.public_url
    at = int(parse_instant(event.at).timestamp())
    names = ", ".join(queries.list_names(event.list_ids))
    link = f"{base}/newsletters/confirm/{queries.tokens().make('c', card.id, at)}/"
    text = (
        f"Somebody, we think you, asked {paper} to send these newsletters to {card.email}:\n\n  {names}\n\n"
        f"Open this page and confirm it there, within {CONFIRM_DAYS} days:\n\n  {link}\n\n"
        f"If it was not you, do nothing: nothing will be sent.\n\n{paper}\n"
    )
    send(Letter(card.email, f"Confirm your newsletters from {paper}", text, key=f"newsletter:{card.id}:{event.at}"))


def tell_of_trouble(event: SendingTroubled) -> None:
    """A sending does not go on: whoever runs the paper hears of it at once."""
    issue = queries.issue(event.issue_id)
    if issue is None:
        return
    options = settings.BROADSHEET
    told = [options.alarm_email] if options.alarm_email else administrators()
    text = (
        f"The newsletter “{issue.list_name}”, issue {issue.number} (“{issue.subject}”), is in trouble:\n\n"
        f"  {event.why}\n\n{issue.sent} of {issue.recipients} mails are sent. "
        "Nobody gets a second copy when you go on.\n\n"
        f"  {options.public_url}/admin/newsletters/issues/{issue.id}/status/\n"
    )
    for email in told:
        key = f"newsletter-trouble:{issue.id}:{event.at}"
        send(Letter(email, f"Newsletter in trouble: {issue.list_name}", text, key=key))


def make_due() -> None:
    issues.make_due(now=clock.now())


def look_after() -> None:
    """Say loudly what stands still; forget who never confirmed, and single mails of long ago, some at a time."""
    sending.find_stalled(now=clock.now())
    signups.forget_unconfirmed(now=clock.now())
    for _ in range(FORGOTTEN_AT_ONCE):
        if not sending.forget_old(now=clock.now()):
            break


def keep_sending() -> None:
    """Give each due issue a thread of its own: a sending takes hours, and no other job may wait for it."""
    for number in [number for number, thread in _senders.items() if not thread.is_alive()]:
        del _senders[number]
    for number in sending.due_issues(now=clock.now()):
        if number not in _senders and len(_senders) < AT_ONCE:
            thread = threading.Thread(target=_send, args=(number,), name=f"newsletter {number}", daemon=True)
            _senders[number] = thread
            thread.start()


def _send(issue_id: int) -> None:
    try:
        close_old_connections()
        Sender(issue_id).run()
    finally:
        connection.close()


def send_due() -> int:
    """Send what is due, one issue after the other, until nothing is. Returns how many issues had their turn."""
    turns = 0
    for issue_id in sending.due_issues(now=clock.now()):
        Sender(issue_id).run()
        turns += 1
    return turns
