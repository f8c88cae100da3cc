"""The mails themselves: what outside software says of their form and their signature."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from tests import make
from tests.newsletters.making import NOW, a_list, an_issue

from broadsheet.newsletters import dkim, queries
from broadsheet.newsletters.post import Post
from broadsheet.newsletters.skeleton import Own, Skeleton, date_header, quoted, sender, slot
from broadsheet.newsletters.words import VISITOR, cut, facts, request_of
from broadsheet.newsroom import actions as newsroom

PYTHON = shutil.which("python3", path="/usr/bin")
OWN = Own(
    "asha.o'neil&co@x.example",
    "<n1.2.abc@paper.example>",
    "<https://paper.example/newsletters/u/AbC_-1>",
    {
        "unsubscribe": "https://paper.example/newsletters/u/AbC_-1",
        "preferences": "https://paper.example/newsletters/m/x",
    },
)
TEXT = f"Hello  twice\n  indented\n.dot\nनमस्ते ₹5\n{slot('unsubscribe')}\n{slot('preferences')}\nto {slot('address')}"
HTML = (
    f'<p>a = b  c   </p>\n. begins with a dot\n<a href="{slot("unsubscribe")}">x</a> {slot("address")}'
    + "é long " * 400
)
HEADERS = [
    ("From", sender("The Paper: नमस्ते", "desk@paper.example")),
    ("Subject", "₹5 for the ferry, and a subject so long that no line of a mail holds it in one piece"),
    ("Date", date_header(NOW)),
    ("List-Id", "<brief.newsletters.paper.example>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
]


def made(signer=None):
    skeleton = Skeleton(headers=HEADERS, text=TEXT, html=HTML, boundary="=_b", signer=signer)
    # An outside verifier refuses a signature from the future.
    return skeleton.fill(OWN, datetime(2026, 1, 1, tzinfo=UTC))


def test_the_standard_library_reads_what_was_written():
    message = message_from_bytes(made(), policy=policy.default)
    assert not message.defects
    assert message["Subject"] == HEADERS[1][1]
    (whom,) = message["From"].addresses
    assert (whom.display_name, whom.addr_spec) == ("The Paper: नमस्ते", "desk@paper.example")
    text = message.get_body(("plain",)).get_content()
    assert text.splitlines()[:4] == ["Hello  twice", "  indented", ".dot", "नमस्ते ₹5"]
    assert "to asha.o'neil&co@x.example" in text
    html = message.get_body(("html",)).get_content()
    assert 'href="https://paper.example/newsletters/u/AbC_-1"' in html
    assert "asha.o&#x27;neil&amp;co@x.example" in html


def test_the_bytes_are_what_every_server_passes_on_untouched():
    lines = made().split(b"\r\n")
    assert max(map(len, lines)) <= 100
    assert not any(line.endswith((b" ", b"\t")) for line in lines if line)
    assert not any(line.startswith(b".") for line in lines)
    assert b"\n" not in b"".join(lines)
    made().decode("ascii")
    body = made().partition(b"\r\n\r\n")[2]
    assert dkim.relaxed_body(body) == body


@pytest.mark.parametrize(
    "text", ["", " ", "a ", "x" * 300, "=" * 80, "é" * 60, "a  b   c", "\t x", "." * 90, "line \nnext"]
)
def test_quoted_printable_comes_back_as_it_was(text):
    import quopri

    assert quopri.decodestring(quoted(text)).decode().replace("\r\n", "\n") == text


def verified(mails, pem, tmp_path):
    """What Debian's dkimpy says of each mail, in an interpreter of its own."""
    if PYTHON is None:
        pytest.skip("no /usr/bin/python3")
    for place, mail in enumerate(mails):
        (tmp_path / f"{place}.mail").write_bytes(mail)
    script = (
        "import json, pathlib, sys\n"
        "try:\n    import dkim\nexcept ImportError:\n    sys.exit(77)\n"
        "record = json.loads(sys.argv[2]).encode()\n"
        "mails = sorted(pathlib.Path(sys.argv[1]).glob('*.mail'))\n"
        "print([dkim.verify(mail.read_bytes(), dnsfunc=lambda name, timeout=5: record) for mail in mails])"
    )
    command = [PYTHON, "-c", script, str(tmp_path), json.dumps(dkim.dns_value(pem))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("no dkimpy for /usr/bin/python3 (on Debian: apt install python3-dkim)")
    assert not done.stderr
    return json.loads(done.stdout.lower())


@pytest.fixture(scope="module")
def pem():
    return dkim.new_key("rsa")


def test_an_outside_library_verifies_the_signature(tmp_path, pem):
    signer = dkim.Signer(dkim.load_key(pem), domain="paper.example", selector="bs")
    mail = made(signer)
    head = re.sub(rb"\r\n\s+", b" ", mail.partition(b"\r\n\r\n")[0]).lower()
    signed = re.search(rb"h=([^;]+);", head).group(1).replace(b" ", b"").split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"from", b"to", b"subject", b"message-id"} <= set(signed)
    forged = [mail.replace(b"u/AbC_-1>", b"u/other->"), mail.replace(b"Hello", b"Hullo")]
    assert verified([mail, *forged], pem, tmp_path) == [True, False, False]


def test_a_key_of_another_kind_is_refused_with_a_reason():
    with pytest.raises(dkim.DkimError, match="PEM"):
        dkim.load_key(b"nonsense")
    assert dkim.dns_value(dkim.new_key("ed25519")).startswith("v=DKIM1; k=ed25519; p=")


class Shape(HTMLParser):
    """Whether every element that is opened is closed, and every picture says what it shows."""

    VOID = frozenset({"img", "br", "hr", "meta", "link", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.pictures = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.pictures.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


EVERYTHING = [(code, NOW - timedelta(days=1), None) for code in ("newsletters", "unlimited", "premium")]


@pytest.fixture
def letters(db):
    """An issue of three stories; `letter(request)` composes it."""
    one = a_list(name="Brief & <Co>")
    stories = [
        make.story(tier="premium", headline="Toll & <terror> “at” night", kicker="₹ & more"),
        make.story(tier="metered", language="hi", headline="रात का टोल", standfirst="नमस्ते"),
        make.story(tier="free"),
    ]
    number = an_issue(one, stories, intro="First.\n\nSecond <b>not bold</b>.", preheader="What mailboxes show")
    post = Post(queries.issue(number), counted=False)

    def letter(request):
        known = facts(post.issue.stories)
        return post.letter(known, cut(post.issue.audience, known, request, NOW), NOW)

    letter.post, letter.stories = post, stories
    return letter


@pytest.mark.parametrize("request_", [VISITOR, request_of(False, EVERYTHING)], ids=["free", "entitled"])
def test_the_html_is_well_formed_small_and_ready_for_the_dark(letters, request_):
    html = letters(request_).html
    shape = Shape()
    shape.feed(re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))
    assert (shape.faults, shape.open) == ([], [])
    assert all(picture.get("alt") is not None for picture in shape.pictures)
    assert len(html.encode()) < 102_000
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme" in html
    assert "<script" not in html
    assert "googleapis" not in html
    assert "&lt;b&gt;not bold" in html
    assert "Toll &amp; &lt;terror&gt;" in html
    assert "{{" not in html
    assert "{%" not in html


def test_what_the_unentitled_get_does_not_depend_on_hidden_text(letters):
    """Only the body beyond the lead-in changes: a reader without the right gets the same bytes."""
    readers = {
        "visitor": VISITOR,
        "without newsletters": request_of(False, EVERYTHING[1:]),
        "without premium": request_of(False, EVERYTHING[:2]),
        "entitled": request_of(False, EVERYTHING),
    }
    before = {name: letters(request) for name, request in readers.items()}
    premium = letters.stories[0]
    longer = make.paragraph(1) + "</p><p>" + make.paragraph(2) + "</p><p>" + "entirely other words " * 300
    copy = make.copy(
        tier="premium", headline="Toll & <terror> “at” night", kicker="₹ & more", body_html=f"<p>{longer}</p>"
    )
    newsroom.update_story(story_id=premium, copy=copy, now=NOW)
    after = {name: letters(request) for name, request in readers.items()}
    same = {name: before[name] == after[name] for name in readers}
    assert same == {"visitor": True, "without newsletters": True, "without premium": True, "entitled": False}
    assert "entirely other words" in after["entitled"].html


def test_a_letter_that_mailboxes_would_cut_gives_up_whole_stories_from_its_end(db):
    one = a_list()
    stories = [make.story(tier="free", body_html=make.body(30, 150)) for _ in range(6)]
    number = an_issue(one, stories)
    post = Post(queries.issue(number), counted=False)
    known = facts(post.issue.stories)
    letter = post.letter(known, cut("everyone", known, VISITOR, NOW), NOW)
    assert letter.shortened
    assert len(letter.html.encode()) < 102_000
    assert letter.html.count(make.paragraph(20, 150)) == 6 - letter.shortened


def test_links_lead_through_the_paper_and_nowhere_else(db, client):
    one = a_list()
    story = make.story(tier="free", body_html='<p>See <a href="https://elsewhere.example/x?a=1&amp;b=2">this</a>.</p>')
    number = an_issue(one, [story])
    post = Post(queries.issue(number))
    known = facts(post.issue.stories)
    letter = post.letter(known, cut("everyone", known, VISITOR, NOW), NOW)
    went = set(re.findall(r'href="([^"]+)"', letter.html))
    counted = {url for url in went if "/newsletters/go/" in url}
    assert went - counted <= {slot("unsubscribe"), slot("preferences")}
    targets = {client.get("/newsletters/go/" + url.rpartition("/")[2])["Location"] for url in counted}
    assert "https://elsewhere.example/x?a=1&b=2" in targets
    assert queries.public_issue("brief", 1) is None
    token = next(iter(counted)).rpartition("/")[2]
    for bad in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x", token + "A", token.swapcase()):
        assert client.get(f"/newsletters/go/{bad}").status_code == 404
    assert sum(clicks for _, clicks in queries.links_of(number)) == len(counted)
    client.head(f"/newsletters/go/{token}")
    assert sum(clicks for _, clicks in queries.links_of(number)) == len(counted)
