"""Sends issues: one run of a process, several connections, at the publisher's rate. May be killed at any moment.

The thread that runs it alone talks to the database. The threads with the connections get finished work and say what
became of it; the journal is written by them, between a mail's body and its last dot.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue

from django.conf import settings

from broadsheet import clock, ids
from broadsheet.newsletters import queries, rules
from broadsheet.newsletters.actions import sending
from broadsheet.newsletters.actions.sending import LeaseLostError, Outcome, Taken
from broadsheet.newsletters.adapters import Line, LineLostError, NotUsError
from broadsheet.newsletters.dkim import DkimError
from broadsheet.newsletters.journal import Journal
from broadsheet.newsletters.pace import Pace
from broadsheet.newsletters.post import Post, open_line
from broadsheet.newsletters.skeleton import Skeleton
from broadsheet.newsletters.words import Facts, facts

log = logging.getLogger(__name__)

MOST = 400  # mails claimed at once
AHEAD = 2.0  # seconds of sending that are claimed at once, when the rate is limited
LOOK = 1.0  # how often stories, lease and status are looked at while mails go out
SAFE = 45.0  # seconds after the last renewal for which a mail may still be begun
AWAY = (1.0, 2.0, 5.0, 15.0, 30.0)
LOUD_AFTER = 20.0


@dataclass(frozen=True, slots=True)
class _Job:
    taken: Taken
    skeleton: Skeleton


@lru_cache(maxsize=1)
def _pace(rate: int, domains: tuple[tuple[str, int], ...]) -> Pace:
    """One for all issues that this process sends at the same time: the mail server sees their sum."""
    return Pace(rate, dict(domains))


def folder() -> Path:
    return Path(settings.BROADSHEET.data) / "newsletters"


class Sender:
    """One run over one issue. `stop` may be called by another thread: it ends between two mails."""

    def __init__(self, issue_id: int) -> None:
        options = settings.BROADSHEET
        self._issue_id = issue_id
        self._run = ids.token(12)
        self._pace = _pace(options.newsletter_rate, tuple(sorted(options.newsletter_domain_rates.items())))
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._results: SimpleQueue[Outcome] = SimpleQueue()
        self._halt, self._stale = threading.Event(), threading.Event()
        self._until = 0.0
        self._not_us = self._away = ""
        self._batch = MOST
        if options.newsletter_rate:
            self._batch = max(options.newsletter_connections, min(MOST, int(options.newsletter_rate * AHEAD)))

    def stop(self) -> None:
        self._halt.set()

    def run(self) -> None:
        """Until the issue is sent, somebody stops it, or it cannot go on; never raises what an issue can cause."""
        if not sending.take(issue_id=self._issue_id, run=self._run, now=clock.now()):
            return
        journal = Journal(folder(), self._run)
        threads: list[threading.Thread] = []
        try:
            if not sending.recover(issue_id=self._issue_id, run=self._run, folder=folder(), now=clock.now()):
                return
            while not sending.gather(issue_id=self._issue_id, run=self._run, now=clock.now()):
                pass
            threads = self._start(journal)
            self._send_all()
        except LeaseLostError:
            log.info("Issue %s was stopped or taken over.", self._issue_id)
        except (DkimError, NotUsError) as error:
            sending.trouble(issue_id=self._issue_id, why=str(error), now=clock.now(), fail=True)
        except Exception as error:
            log.exception("The sending of issue %s broke off.", self._issue_id)
            why = f"The sending broke off ({type(error).__name__}). The log says why."
            sending.trouble(issue_id=self._issue_id, why=why, now=clock.now(), fail=True)
        finally:
            self._end(threads, journal)

    def _start(self, journal: Journal) -> list[threading.Thread]:
        count = settings.BROADSHEET.newsletter_connections
        self._until = time.monotonic() + SAFE
        issue = queries.issue(self._issue_id)
        assert issue is not None
        self._post = Post(issue)
        names = (f"newsletter line {number}" for number in range(count))
        threads = [threading.Thread(target=self._work, args=(journal,), name=name, daemon=True) for name in names]
        for thread in threads:
            thread.start()
        return threads

    def _end(self, threads: list[threading.Thread], journal: Journal) -> None:
        self._halt.set()
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join(60)
        outcomes = []
        with suppress(Empty):
            while True:
                outcomes.append(self._results.get_nowait())
        sending.record(issue_id=self._issue_id, run=self._run, outcomes=outcomes, now=clock.now())
        sending.let_go(issue_id=self._issue_id, run=self._run)
        left = sending.claimed_by(issue_id=self._issue_id, run=self._run)
        journal.abandon() if left or any(thread.is_alive() for thread in threads) else journal.close()

    # The thread that talks to the database.

    def _send_all(self) -> None:
        tries, since = 0, time.monotonic()
        while not self._halt.is_set():
            now = clock.now()
            taken = sending.claim(issue_id=self._issue_id, run=self._run, limit=self._batch, now=now)
            self._until = time.monotonic() + SAFE
            if not taken:
                if sending.finish(issue_id=self._issue_id, run=self._run, now=now):
                    return
                self._wait_for_more()
                continue
            outcomes = self._one_batch(taken)
            sending.record(issue_id=self._issue_id, run=self._run, outcomes=outcomes, now=clock.now())
            self._judge()
            if any(one.kind != "back" for one in outcomes):
                tries, since, away = 0, time.monotonic(), ""
                sending.goes_again(issue_id=self._issue_id)
            elif self._away:
                away, self._away = self._away, ""
                if time.monotonic() - since > LOUD_AFTER:
                    why = f"The mail server cannot be reached: {away}"
                    sending.trouble(issue_id=self._issue_id, why=why, now=clock.now())
                self._halt.wait(AWAY[min(tries, len(AWAY) - 1)])
                tries += 1

    def _wait_for_more(self) -> None:
        """Mails that were put off: until the first of them may go."""
        sending.keep(issue_id=self._issue_id, run=self._run, now=clock.now())
        due = sending.next_due(issue_id=self._issue_id)
        seconds = (due - clock.now()).total_seconds() if due else LOOK
        self._halt.wait(min(max(seconds, 0.05), 10.0))

    def _one_batch(self, taken: list[Taken]) -> list[Outcome]:
        known = facts(self._post.issue.stories)
        outcomes = self._hand_out(taken, known)
        looked = time.monotonic()
        while len(outcomes) < len(taken):
            with suppress(Empty):
                outcomes.append(self._results.get(timeout=LOOK))
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                self._look_again(known)
        self._stale.clear()
        return outcomes

    def _hand_out(self, taken: list[Taken], known: Facts) -> list[Outcome]:
        now = clock.now()
        cuts = self._post.cuts(known, [one.email for one in taken], now)
        if not any(cuts):
            raise NotUsError("None of its stories is published any more.")
        for one, given in zip(taken, cuts, strict=True):
            self._jobs.put(_Job(one, self._post.skeleton(known, given, now)))
        return []

    def _look_again(self, known: Facts) -> None:
        """A story that was withdrawn or changed since the letters were prepared: the rest is prepared anew."""
        try:
            sending.keep(issue_id=self._issue_id, run=self._run, now=clock.now())
        except LeaseLostError:
            self._halt.set()
            return
        self._until = time.monotonic() + SAFE
        if facts(self._post.issue.stories) != known:
            self._stale.set()

    def _judge(self) -> None:
        if self._not_us:
            raise NotUsError(self._not_us)
        issue = queries.issue(self._issue_id)
        if issue and rules.failing(issue.sent, issue.refused):
            raise NotUsError(f"{issue.refused} of the first {issue.done} mails were refused.")

    # The threads with the connections.

    def _work(self, journal: Journal) -> None:
        line = open_line()
        while True:
            try:
                job = self._jobs.get(timeout=10)
            except Empty:
                line.close()  # a server would close it by itself, in the middle of something
                continue
            if job is None:
                break
            try:
                self._results.put(self._deliver(line, journal, job))
            except Exception as error:
                log.exception("A mail of issue %s could not be made.", self._issue_id)
                self._not_us = f"A mail could not be made ({type(error).__name__}). The log says why."
                self._results.put(Outcome(job.taken, "back"))
        line.close()

    def _deliver(self, line: Line, journal: Journal, job: _Job) -> Outcome:
        taken = job.taken
        turn = self._pace.turn(rules.domain(taken.email), time.monotonic())
        if not turn.go:
            return Outcome(taken, "back", at=clock.now() + timedelta(seconds=turn.at - time.monotonic()))
        wait = turn.at - time.monotonic()
        if wait > 0:
            self._halt.wait(wait)
        if self._halt.is_set() or self._stale.is_set() or self._not_us or time.monotonic() > self._until:
            return Outcome(taken, "back")
        try:
            mail = self._post.mail(job.skeleton, taken.address_id, taken.email, clock.now())
        except UnicodeError:
            return Outcome(taken, "refused", 0, "a mail cannot be addressed like this")
        try:
            answer = line.hand_over(mail, lambda: journal.begin(taken.id))
        except LineLostError as error:
            self._away = str(error)
            return Outcome(taken, "back", at=clock.now() + timedelta(seconds=1))
        except NotUsError as error:
            self._not_us = str(error)
            return Outcome(taken, "back")
        if answer.kind != "doubtful":
            journal.end(taken.id, answer.kind[0])
        return Outcome(taken, answer.kind, answer.code, answer.words)
