"""A policy switched on in a paper that is being read: gate and walls follow within seconds and agree; why can be told."""

import json
import time

import pytest

SOON = 20  # seconds: a second on a quiet machine
SWITCH = (
    "from broadsheet import clock\nfrom broadsheet.access.actions import switch_policy\n"
    "result = switch_policy(values={values!r}, by=None, now=clock.now()).revision"
)


@pytest.fixture(scope="module")
def live(paper):
    paper.metered = paper.stories(*({"headline": f"Toll story {number}", "tier": "metered"} for number in range(8)))
    paper.premium = paper.stories({"headline": "Premium story", "tier": "premium"})
    return paper.start()


def within(seconds, check):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def reasons(browser, stories):
    return [browser.get(story["path"]).reason for story in stories]


def test_gate_and_wall_follow_a_switch_and_agree(live):
    browser = live.browser()
    assert reasons(browser, live.metered[:6]) == ["meter"] * 5 + ["limit"]
    assert "read your 5 free articles" in browser.get(live.metered[5]["path"]).text
    live.python(SWITCH.format(values={"free_limit": 6}))
    within(SOON, lambda: browser.get("/me.json").text.count('"limit": 6'))
    assert reasons(browser, live.metered[5:7]) == ["meter", "limit"]
    within(SOON, lambda: "read your 6 free articles" in browser.get(live.metered[6]["path"]).text)
    live.python(SWITCH.format(values={"free_limit": 3}))
    within(SOON, lambda: "read your 3 free articles" in browser.get(live.metered[6]["path"]).text)
    # What was read stays readable, nothing is given anew.
    assert reasons(browser, live.metered[:7]) == ["repeat"] * 6 + ["limit"]
    fresh = live.browser()
    assert reasons(fresh, live.metered[:4]) == ["meter"] * 3 + ["limit"]


def test_the_emergency_opens_and_closes_the_whole_paper(live):
    live.python(SWITCH.format(values={"emergency": True}))
    browser, path = live.browser(), live.premium[0]["path"]
    reply = within(SOON, lambda: (got := browser.get(path)).variant == "full" and got)
    assert reply.reason == "emergency"
    live.python(SWITCH.format(values={"emergency": False}))
    reply = within(SOON, lambda: (got := browser.get(path)).variant == "wall" and got)
    assert reply.reason == "premium"


def test_why_tells_what_the_gate_decided_from_the_readers_code(live):
    browser = live.browser()
    revision = live.python(SWITCH.format(values={"free_limit": 2}))
    within(SOON, lambda: '"limit": 2' in browser.get("/me.json").text)
    stories = live.metered[:3]
    assert reasons(browser, stories) == ["meter", "meter", "limit"]
    code = json.loads(browser.get("/me.json").body)["code"]
    time.sleep(1.5)  # the gate writes its records each second
    lines = live.run("why", "--code", code, "--json").stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [(row["story"], row["reason"], row["read"], row["limit"]) for row in told] == [
        (stories[2]["id"], "limit", 2, 2), (stories[1]["id"], "meter", 1, 2), (stories[0]["id"], "meter", 0, 2),
    ]  # fmt: skip
    assert told[0]["headline"] == "Toll story 2"
    assert told[0]["inputs"][-2:] == ["2 of 2 read this month", f"policy revision {revision}"]


def test_config_says_that_the_admin_decides(live):
    rows = {row["name"]: row for row in map(json.loads, live.run("config", "--json").stdout.splitlines())}
    assert (rows["free_limit"]["value"], rows["free_limit"]["source"], rows["free_limit"]["default"]) == (2, "admin", 5)
    assert (rows["meter_window"]["value"], rows["meter_window"]["source"]) == ("month", "admin")
    assert rows["decision_days"]["source"] == "default"
