"""Letters over the wire: a real SMTP server on loopback, and the folder of .eml files."""

import socket
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from broadsheet.mail import Letter, send, settings_from_url

RECEIPT = Letter(
    to="asha@example.org",
    subject="नमस्ते: your receipt",
    text="₹900 received.\n",
    html="<p>₹900 received.</p>",
    key="r:1",
)


class Postman(Message):
    def __init__(self):
        super().__init__()
        self.letters = []

    def prepare_message(self, session, envelope):
        return message_from_bytes(envelope.content, policy=policy.default)

    def handle_message(self, message):
        self.letters.append(message)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def postman():
    postman = Postman()
    controller = Controller(postman, hostname="127.0.0.1", port=free_port())
    controller.start()
    postman.url = f"smtp://127.0.0.1:{controller.port}"
    yield postman
    controller.stop()


def use(settings, url):
    for name, value in settings_from_url(url).items():
        setattr(settings, name, value)
    settings.DEFAULT_FROM_EMAIL = "The Paper <desk@paper.example>"


def test_a_letter_reaches_a_real_server(postman, settings):
    use(settings, postman.url)
    send(RECEIPT)
    (letter,) = postman.letters
    assert letter["To"] == "asha@example.org"
    assert letter["From"] == "The Paper <desk@paper.example>"
    assert letter["Subject"] == "नमस्ते: your receipt"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_body(("plain",)).get_content().splitlines() == ["₹900 received."]
    assert letter.get_body(("html",)).get_content().strip() == "<p>₹900 received.</p>"


def test_a_server_that_is_away_raises_so_that_the_job_tries_again(settings):
    use(settings, f"smtp://127.0.0.1:{free_port()}?timeout=2")
    with pytest.raises(OSError, match="refused"):
        send(RECEIPT)


def test_one_file_a_letter_and_a_repeated_letter_stays_one(tmp_path, settings):
    use(settings, (tmp_path / "letters").as_uri())
    send(RECEIPT)
    send(RECEIPT)
    send(Letter(to="ravi@example.org", subject="Other", text="x", key="r:1"))
    send(Letter(to="asha@example.org", subject="No key", text="x"))
    send(Letter(to="asha@example.org", subject="No key", text="x"))
    files = sorted((tmp_path / "letters").iterdir())
    assert [file.suffix for file in files] == [".eml"] * 4
    letters = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert [letter["Subject"] for letter in letters] == ["नमस्ते: your receipt", "Other", "No key", "No key"]
    assert (tmp_path / "letters").stat().st_mode & 0o077 == 0


def test_a_subject_cannot_smuggle_a_header():
    with pytest.raises(ValueError, match="one line"):
        send(Letter(to="a@example.org", subject="Hello\nBcc: all@example.org", text="x"))
