"""The newsroom's log-in: whoever guesses passwords is stopped, and an editor elsewhere is not."""

import pytest
from django.core import mail
from django.core.cache import cache

from broadsheet.readers.staff_forms import TOO_MANY
from tests import make

pytestmark = pytest.mark.django_db
PASSWORD = "seven quiet ferries"


@pytest.fixture(autouse=True)
def editor(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # guesses are counted, not broken
    cache.clear()
    made = make.reader("editor@paper.example", is_staff=True, is_superuser=True)
    made.set_password(PASSWORD)
    made.save()
    yield made
    cache.clear()


def log_in(client, password=PASSWORD, name="editor@paper.example", address="192.0.2.7"):
    form = {"username": name, "password": password}
    answer = client.post("/admin/login/", form, REMOTE_ADDR=address)
    return "in" if answer.status_code == 302 else "stopped" if TOO_MANY in answer.content.decode() else "no"


def test_an_editor_logs_in(client):
    assert log_in(client, "wrong") == "no"
    assert log_in(client) == "in"


def test_the_sixth_guess_from_a_network_is_not_looked_at_and_other_networks_go_on(client):
    assert [log_in(client, f"guess {n}", name="Editor@paper.example ") for n in range(5)] == ["no"] * 5
    assert log_in(client) == "stopped"
    assert log_in(client, address="2001:db8::1") == "in"


def test_a_network_that_tries_one_name_after_another_is_stopped(client):
    found = [log_in(client, "wrong", name=f"editor{n}@paper.example") for n in range(21)]
    assert found == ["no"] * 20 + ["stopped"]


def test_a_name_that_is_tried_from_everywhere_is_stopped(client):
    found = [log_in(client, "wrong", address=f"198.51.100.{n}") for n in range(100)]
    assert set(found) == {"no"}
    assert log_in(client, address="203.0.113.9") == "stopped"


def test_few_letters_with_a_new_password_go_to_one_address(client):
    for _ in range(5):
        answer = client.post("/admin/password_reset/", {"email": "editor@paper.example"})
        assert answer.status_code == 302
    assert len(mail.outbox) == 3
