import json
import re

import pytest
from django.core.exceptions import ValidationError

from broadsheet import clock
from broadsheet.api import actions, queries
from broadsheet.api.actions import Draft
from broadsheet.api.rules import form_target, is_redirect, place_words, refuses_challenge, refuses_redirect
from broadsheet.api.subjects import reader_of, subject_of
from broadsheet.readers.models import Reader
from broadsheet.server import cli
from tests import make
from tests.api import outside

pytestmark = pytest.mark.django_db
FORM = {
    "name": "The Courier",
    "kind": "app",
    "redirect_uris": "https://a.example/x\nin.example.app:/y",
    "scopes": ["openid", "stories"],
    "rate": "0",
}


@pytest.mark.parametrize(
    ("uri", "public", "good"),
    [
        ("https://a.example/back", True, True), ("https://a.example/back", False, True), ("in.example.app:/back", True, True),
        ("in.example.app:/back", False, False), ("http://127.0.0.1/back", True, True), ("http://[::1]/back", True, True),
        ("http://localhost/back", True, False), ("http://a.example/", True, False), ("https://a.example/#x", True, False),
        ("https://u:p@a.example/", True, False), ("https://*.a.example/", True, False), ("https:///x", True, False),
        ("javascript:alert(1)", True, False), ("data:text/html,x", True, False), ("myapp:/x", True, False),
        ("https://a.example/ x", True, False), ("", True, False), ("https://[::1/", True, False),
    ],
)  # fmt: skip
def test_where_answers_may_go(uri, public, good):
    assert (refuses_redirect(uri, public=public) == "") is good


def test_letter_by_letter_but_for_a_port_on_this_machine():
    assert is_redirect("http://127.0.0.1:9/b", ["http://127.0.0.1/b"])
    assert is_redirect("http://[::1]:9/b", ["http://[::1]/b"])
    for asked in (
        "http://127.0.0.1:x/b",
        "http://127.0.0.1:9/c",
        "http://127.0.0.1:9/b?x",
        "http://u@127.0.0.1:9/b",
        "http://127.0.0.2:9/b",
        "https://127.0.0.1:9/b",
        "http://127.0.0.1.evil.example/b",
    ):
        assert not is_redirect(asked, ["http://127.0.0.1/b"]), asked
    assert not is_redirect("https://a.example:9/b", ["https://a.example/b"])


def test_small_rules():
    assert form_target("https://a.example:8/x?y") == "https://a.example:8"
    assert form_target("in.example.app:/x") == "in.example.app:"
    assert place_words("in.example.app:/x") == "the app on this device"
    assert refuses_challenge({}, public=False) == ""
    assert refuses_challenge({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, public=False)
    key = bytes(range(32))
    assert reader_of(subject_of(7, key), key) == 7
    assert [reader_of(text, key) for text in ("", "x", "00" * 16, subject_of(7, key)[:-2])] == [None] * 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"), ({"name": "<b>"}, "name"), ({"kind": "bank"}, "kind"), ({"partner": "x"}, "partner"),
        ({"kind": "partner"}, "partner"), ({"scopes": ["everything"]}, "scopes"), ({"scopes": []}, "scopes"),
        ({"redirect_uris": []}, "redirect_uris"), ({"redirect_uris": ["http://a.example/"]}, "redirect_uris"),
        ({"logout_uris": ["x"]}, "logout_uris"), ({"tv": True, "public": False}, "tv"), ({"rate": -1}, "rate"),
    ],
)  # fmt: skip
def test_a_client_that_cannot_be_is_not_stored(change, field):
    draft = Draft(**{"name": "The Courier", "redirect_uris": [outside.BACK], **change})
    with pytest.raises(ValidationError) as refused:
        actions.add_client(draft=draft, now=clock.now())
    assert field in refused.value.message_dict
    assert queries.clients() == []


def test_the_secret_is_a_digest_and_a_new_one_ends_the_old_one():
    client_id, secret = outside.app(public=False)
    from allauth.idp.oidc.models import Client

    stored = Client.objects.get(pk=client_id).secret
    assert secret not in stored
    assert Client.objects.get(pk=client_id).check_secret(secret)
    fresh = actions.renew_secret(client_id=client_id)
    assert [Client.objects.get(pk=client_id).check_secret(one) for one in (fresh, secret, "")] == [True, False, False]


def test_taking_a_scope_away_ends_what_was_handed_out():
    client_id, _ = outside.app()
    oauth = outside.session(client_id)
    outside.signed_in(oauth, outside.browser(make.reader()))
    ask = lambda: oauth.get(f"{outside.HOST}/api/v1/me").status_code  # noqa: E731
    draft = Draft("The Courier", redirect_uris=[outside.BACK], scopes=outside.ALL)
    actions.change_client(client_id=client_id, draft=draft)
    assert ask() == 200
    actions.change_client(
        client_id=client_id, draft=Draft("The Courier", redirect_uris=[outside.BACK], scopes=("openid",))
    )
    assert ask() == 401
    actions.remove_client(client_id=client_id)
    assert queries.clients() == []


def run(capsys, *words):
    status = cli.run(["api", "client", *words])
    return status, capsys.readouterr()


def test_the_command(capsys):
    status, said = run(
        capsys, "add", "The Courier", "--redirect", outside.BACK, "--scopes", "openid,stories", "--secret", "--json"
    )
    told = json.loads(said.out)
    assert (status, told["kind"], told["public"], told["scopes"]) == (0, "app", False, ["openid", "stories"])
    assert len(told["client_secret"]) == 43
    status, said = run(capsys, "list", "--json")
    assert (json.loads(said.out)["client_id"], "client_secret" in said.out) == (told["client_id"], False)
    assert run(capsys, "add", "Bad", "--redirect", "http://a.example/")[0] == 2
    assert run(capsys, "add", "Bad", "--partner", "nobody", "--redirect", outside.BACK)[0] == 2
    assert (
        json.loads(run(capsys, "secret", told["client_id"], "--json")[1].out)["client_secret"] != told["client_secret"]
    )
    assert run(capsys, "secret", "nobody")[0] == 2
    assert run(capsys, "remove", told["client_id"])[0] == 0
    assert run(capsys, "remove", told["client_id"])[0] == 2
    assert queries.clients() == []


def staff(client, **fields):
    reader = Reader.objects.create(email="desk@paper.example", is_staff=True, **fields)
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_screen_registers_and_shows_the_secret_once(client):
    desk = staff(client, is_superuser=True)
    assert "None yet" in desk.get("/admin/apps/").content.decode()
    page = desk.post("/admin/apps/add/", {**FORM, "redirect_uris": "https://a.example/x", "secret": "on"})
    secret = re.search(r"Secret: <code>([^<]+)</code>", page.content.decode()).group(1)
    (row,) = queries.clients()
    assert secret not in desk.get("/admin/apps/").content.decode()
    assert "The Courier" in desk.get(f"/admin/apps/{row.id}/").content.decode()
    changed = desk.post(f"/admin/apps/{row.id}/", {**FORM, "name": "The Evening Courier", "secret": ""})
    assert changed.status_code == 302
    assert (queries.clients()[0].name, queries.clients()[0].public) == ("The Evening Courier", True)
    refused = desk.post("/admin/apps/add/", {**FORM, "redirect_uris": "http://a.example/"})
    assert "over http only 127.0.0.1" in refused.content.decode()
    assert len(queries.clients()) == 1
    assert desk.post(f"/admin/apps/{row.id}/remove/").status_code == 302
    assert queries.clients() == []


def test_an_editor_without_the_right_sees_none_of_it(client):
    from django.contrib.auth.models import Permission

    desk = staff(client)
    desk_reader = Reader.objects.get(email="desk@paper.example")
    desk_reader.user_permissions.add(Permission.objects.get(codename="access_admin"))
    for path in ("/admin/apps/", "/admin/apps/add/"):
        assert desk.get(path).status_code in (302, 403), path
    assert desk.post("/admin/apps/add/", FORM).status_code in (302, 403)
    assert queries.clients() == []
