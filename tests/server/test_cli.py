"""The command line as a script would call it: exit statuses, stdout for results, stderr for the rest."""

import json
import tomllib

import pytest
from tests.papers import Paper


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = Paper(tmp_path_factory.mktemp("cli") / "data")
    made.run("init", str(made.folder), "--name", "The Alder Post")
    return made


STORY = """---
headline: Board raises the night toll
standfirst: From May.
section: national
byline: [Mira Tolland, Kell Sorn]
tier: premium
---
First *paragraph*.

Second paragraph.

Third, hidden paragraph with <script>alert(1)</script>.
"""


def test_init_makes_a_paper_and_refuses_a_folder_that_is_not_empty(folder):
    text = (folder.folder / "broadsheet.toml").read_text()
    assert tomllib.loads(text) == {"name": "The Alder Post"}
    again = folder.run("init", str(folder.folder), check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert "not empty" in again.stderr


def test_the_folder_and_its_secret_are_the_owners_alone(folder):
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert (folder.folder / "secret.key").stat().st_mode & 0o777 == 0o600


def test_config_redacts_secrets(folder):
    done = folder.run("config", "--json", env={"BROADSHEET_EMAIL_URL": "smtp://user:hunter2@mail.example:587"})
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["email_url"]["value"], rows["email_url"]["source"]) == ("(set)", "BROADSHEET_EMAIL_URL")
    assert "hunter2" not in done.stdout + done.stderr
    assert rows["free_limit"]["value"] == rows["free_limit"]["default"] == 5


def test_config_warns_of_a_ceiling_for_a_section_that_is_not_there(folder):
    folder.python("from tests import make\nmake.story()")  # makes the section `national`
    done = folder.run("config", env={"BROADSHEET_SECTION_LIMITS": "national=2,naional=1"})
    assert "section_limits names 'naional', and the paper has no such section." in done.stderr
    assert "national" in done.stderr
    assert "names 'national'" not in done.stderr
    assert folder.run("config", env={"BROADSHEET_SECTION_LIMITS": "national=2"}).stderr == ""


def test_story_add_publishes_and_prints_id_and_url(folder, tmp_path):
    file = tmp_path / "story.md"
    file.write_text(STORY)
    row = json.loads(folder.run("story", "add", str(file), "--json").stdout)
    assert row["tier"] == "premium"
    assert row["url"] == f"http://localhost:{folder.port}/national/board-raises-the-night-toll-{row['id']}"
    why = json.loads(folder.run("why", "--story", str(row["id"]), "--json").stdout)
    assert (why["body"], why["reason"], why["wall"], why["state"]) == ("wall", "premium", "subscribe", "published")


def test_a_file_that_is_no_story_is_refused(folder, tmp_path):
    file = tmp_path / "story.md"
    file.write_text("---\nheadline: x\nsection: national\n---\nlimit of {{free_limit}}")
    done = folder.run("story", "add", str(file), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "placeholder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("words", "env", "status"), [
    (["frobnicate"], {}, 2), (["config"], {"BROADSHEET_FREE_LIMIT": "lots"}, 2), (["serve", "--role", "king"], {}, 2),
    (["config"], {"BROADSHEET_DATABASE_URL": "postgres://u@127.0.0.1:1/none"}, 0),
    (["why", "--story", "1"], {"BROADSHEET_DATABASE_URL": "postgres://u@127.0.0.1:1/none"}, 3),
])  # fmt: skip
def test_exit_statuses(folder, words, env, status):
    done = folder.run(*words, check=False, env=env)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_serve_on_a_taken_port_says_so(folder):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = folder.run("serve", "--port", str(taken.getsockname()[1]), check=False)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr


def test_plain_http_on_a_public_host_needs_no_secure_cookie_and_https_gets_it(tmp_path):
    from broadsheet.gate.asked import CookieNames

    assert CookieNames.for_site(https=True).meter == "__Host-bsm"
    assert CookieNames.for_site(https=False).passport == "bsp"
