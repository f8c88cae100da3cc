"""Secrets that rotate: nobody is signed out, no meter begins anew; pruning says what it ends."""

import json

import pytest
from tests.papers import Paper

from broadsheet.access.meter import meter_seal, new_meter
from broadsheet.clock import now
from broadsheet.server.secrets import installation_secret, installation_secrets, prune, rotate


def test_the_file_holds_the_newest_first(tmp_path):
    path = tmp_path / "deep" / "secret.key"
    (first,) = installation_secrets(path)
    assert rotate(path) == 2
    second, old = installation_secrets(path)
    assert old == first != second == installation_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert rotate(path) == 3
    assert installation_secrets(path)[1:] == (second, first)
    newest = installation_secret(path)
    assert prune(path) == 2
    assert installation_secrets(path) == (newest,)
    assert prune(path) == 0
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("text", ["", "00" * 31, "xyz" * 30, "00" * 32 + "\n" + "00" * 8])
def test_a_damaged_file_stops_the_start(tmp_path, text):
    path = tmp_path / "secret.key"
    path.write_text(text)
    for use in (installation_secrets, rotate, prune):
        with pytest.raises(ValueError, match="does not hold a secret"):
            use(path)
    assert path.read_text() == text


def test_a_meter_is_opened_with_an_old_secret_and_sealed_with_the_newest(tmp_path):
    path = tmp_path / "secret.key"
    meter = new_meter("m202701", now())
    before = meter_seal(installation_secret(path), "news.example")
    rotate(path)
    newest, old = installation_secrets(path)
    after = meter_seal(newest, "news.example", old)
    assert after.open(before.seal(meter)) == meter
    assert before.open(after.seal(meter)) is None
    assert meter_seal(newest, "news.example").open(before.seal(meter)) is None


@pytest.fixture
def post(tmp_path):
    made = Paper(tmp_path / "data").init()
    yield made
    made.stop()


def test_rotation_signs_nobody_out_and_begins_no_meter_anew(post):
    stories = post.stories(*({"headline": f"Story {n}", "tier": "metered"} for n in range(6)))
    post.start()
    visitor, reader = post.browser(), post.browser()
    for story in stories[:3]:
        assert visitor.get(story["path"]).reason == "meter"
    reader.cookies |= post.python(
        "from django.contrib.auth import SESSION_KEY, HASH_SESSION_KEY, BACKEND_SESSION_KEY\n"
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "from django.conf import settings\n"
        "from django.contrib.auth import get_user_model\n"
        "person = get_user_model().objects.get()\n"
        "session = SessionStore()\n"
        "session[SESSION_KEY] = str(person.pk)\n"
        "session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]\n"
        "session[HASH_SESSION_KEY] = person.get_session_auth_hash()\n"
        "session.save()\n"
        "result = {settings.SESSION_COOKIE_NAME: session.session_key}\n"
    )
    assert json.loads(reader.get("/me.json").text)["signed_in"] is False  # the passport comes with the first page
    assert reader.get("/account/").status == 200
    assert json.loads(reader.get("/me.json").text)["signed_in"] is True
    told = json.loads(post.run("--json", "keys", "rotate").stdout)
    assert told == {"secrets": 2}
    post.stop()
    post.start()
    assert json.loads(reader.get("/me.json").text)["signed_in"] is True
    assert reader.get("/account/").status == 200
    assert json.loads(visitor.get("/me.json").text)["left"] == 2
    assert visitor.get(stories[0]["path"]).reason == "repeat"
    assert [visitor.get(story["path"]).reason for story in stories[3:]] == ["meter", "meter", "limit"]

    refused = post.run("keys", "prune", check=False)
    assert refused.returncode == 2
    assert "begin a new meter" in refused.stderr
    assert json.loads(post.run("--json", "keys", "list").stdout) == {"secrets": 2}
    assert "1 dropped" in post.run("keys", "prune", "--yes").stdout
    post.stop()
    post.start()
    assert visitor.get(stories[5]["path"]).reason == "limit"  # its cookie has come since, and is under the newest
