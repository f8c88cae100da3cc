import pytest

from broadsheet.mail import MailUrlError, rules, settings_from_url


def test_a_server_with_a_password_is_encrypted_without_being_asked():
    assert settings_from_url("smtp://desk%40paper.example:p%3Aw@mail.example:587?timeout=5") == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "desk@paper.example",
        "EMAIL_HOST_PASSWORD": "p:w",
        "EMAIL_USE_TLS": True,
        "EMAIL_USE_SSL": False,
        "EMAIL_TIMEOUT": 5,
    }


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", 587, True, False),
        ("smtp://mail.example?tls=off", 25, False, False),
        ("smtp://localhost", 25, False, False),
        ("smtp://127.0.0.1:2525", 2525, False, False),
        ("smtp://[::1]:2525?tls=starttls", 2525, True, False),
        ("smtps://mail.example", 465, False, True),
        ("smtps://mail.example:1465", 1465, False, True),
    ],
)
def test_ports_and_encryption(url, port, tls, ssl):
    made = settings_from_url(url)
    assert (made["EMAIL_PORT"], made["EMAIL_USE_TLS"], made["EMAIL_USE_SSL"]) == (port, tls, ssl)


def test_a_folder():
    assert settings_from_url("file:///srv/the%20paper/letters") == {
        "EMAIL_BACKEND": "broadsheet.mail.adapters.folder.EmailBackend",
        "EMAIL_FILE_PATH": "/srv/the paper/letters",
    }


def test_the_console():
    assert settings_from_url("console:") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "There is no scheme"),
        ("mail.example", "There is no scheme"),
        ("smpt://mail.example", "The scheme 'smpt' is unknown"),
        ("smtp://", "There is no host"),
        ("smtp://mail.example:99999", "The port is not a number"),
        ("smtp://mail.example:many", "The port is not a number"),
        ("smtp://mail.example/inbox", "The path '/inbox' means nothing"),
        ("smtp://mail.example?tsl=off", "The option 'tsl' is unknown"),
        ("smtp://mail.example?tls=", "The option 'tls' needs one value"),
        ("smtp://mail.example?tls=yes", "tls is starttls or off"),
        ("smtps://mail.example?tls=starttls", "tls is starttls or off"),
        ("smtp://mail.example?timeout=soon", "timeout is a number of seconds"),
        ("smtp://mail.example?timeout=0", "timeout is a number of seconds"),
        ("file://letters/here", "A folder is written with three slashes"),
        ("file:letters", "A folder is written with three slashes"),
        ("console:loud", "console: stands alone"),
        ("smtp://[::1", "This is not a URL"),
    ],
)
def test_a_url_that_cannot_be_used_says_why_and_what_would_be_right(url, why):
    with pytest.raises(MailUrlError) as refusal:
        settings_from_url(url)
    assert why in str(refusal.value)
    assert "Write smtp://user:password@host:587" in str(refusal.value)


def test_another_package_may_bring_a_transport(monkeypatch):
    class Pigeon:
        name = "pigeon"

        def load(self):
            return lambda url: {"EMAIL_BACKEND": "pigeons.Backend", "LOFT": url.removeprefix("pigeon://")}

    monkeypatch.setattr(rules, "entry_points", lambda group: [Pigeon()] if group == rules.GROUP else [])
    assert settings_from_url("pigeon://loft.example") == {"EMAIL_BACKEND": "pigeons.Backend", "LOFT": "loft.example"}


def test_the_complaint_never_repeats_the_password():
    with pytest.raises(MailUrlError) as refusal:
        settings_from_url("smtp://desk:hunter2secret@mail.example:99999")
    assert "hunter2secret" not in str(refusal.value)
