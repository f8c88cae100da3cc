"""What a partner is told by a message: signed, once, and left to the file when nobody answers."""

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.partners import make_partners as make

from broadsheet import clock
from broadsheet.dates import rfc3339
from broadsheet.partners import actions, jobs, stocking
from broadsheet.partners.events import ClaimEnded, StockLow
from broadsheet.partners.models import Claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner_server():
    """A partner's own server on loopback: what it was sent, and what it answers."""
    got, status = [], [200]

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status[0])
            if status[0] == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got, status
    server.shutdown()
    server.server_close()


@pytest.fixture
def ended(partner_server):
    make.plan()
    now = clock.now()
    post = make.partner(report_url=partner_server[0])
    make.codes(make.offer(post), 2, now)
    made = actions.claim(reader_id=make.subscriber(now=now), partner="post", offer="all", now=now)
    actions.revoke(claim_id=made, now=now)
    return ClaimEnded(made, "revoked", rfc3339(now))


def test_an_end_is_told_once_and_signed(ended, partner_server):
    _, got, _ = partner_server
    jobs.report_end(ended)
    jobs.report_end(ended)
    ((headers, body),) = got
    said = json.loads(body)
    assert (said["event"], said["code"], said["reason"]) == ("claim_ended", "CODE-0000", "revoked")
    assert "asha" not in body.decode()
    stamp, mac = (part.partition("=")[2] for part in headers["Broadsheet-Signature"].split(","))
    expected = hmac.new(make.SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert mac == expected
    assert Claim.objects.get().report == "done"


@pytest.mark.parametrize("status", [500, 302, 404])
def test_a_refusal_is_tried_again_and_at_last_left_to_the_file(ended, partner_server, status):
    _, got, answers = partner_server
    answers[0] = status
    with pytest.raises(OSError, match=str(status)):
        jobs.report_end(ended)
    assert len(got) == 1
    assert Claim.objects.get().report == "due"
    late = ClaimEnded(ended.claim_id, "revoked", rfc3339(clock.now() - jobs.GIVE_UP - timedelta(minutes=1)))
    jobs.report_end(late)
    assert len(got) == 1
    assert Claim.objects.get().report == "due"


def test_a_low_pool_is_a_letter_to_staff(mailoutbox, settings):
    make.plan()
    offer = make.offer(make.partner(), low_stock=5)
    make.Offer.objects.filter(pk=offer.pk).update(name="All of it")
    from broadsheet.readers.models import Reader

    Reader.objects.create(email="editor@paper.example", is_staff=True, is_superuser=True, created_at=make.NOW)
    jobs.mail_low_stock(StockLow(offer.pk, 0, rfc3339(clock.now())))
    (letter,) = mailoutbox
    assert letter.to == ["editor@paper.example"]
    assert "no codes are left" in letter.body
    assert f"/admin/partner-titles/{offer.pk}/stock/" in letter.body
    assert stocking.secret_of(make.Partner.objects.get()).decode() not in letter.body
