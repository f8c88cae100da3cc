import pytest

from broadsheet.desk.stories import StoryFileError, read_story, to_html

FILE = """---
headline: Board raises the night toll
standfirst: From May.
section: economy
byline: [Mira Tolland, Kell Sorn]
tier: premium
priority: 2
---
First *paragraph*.

## A head

Second paragraph.
"""


def test_a_story_file_becomes_copy():
    copy = read_story(FILE)
    assert (copy.headline, copy.standfirst, copy.section, copy.tier, copy.priority) == (
        "Board raises the night toll",
        "From May.",
        "economy",
        "premium",
        2,
    )
    assert copy.bylines == ("Mira Tolland", "Kell Sorn")
    assert copy.body_html == "<p>First <em>paragraph</em>.</p>\n<h2>A head</h2>\n<p>Second paragraph.</p>\n"


def test_the_command_line_overrules_the_file():
    copy = read_story(FILE, tier="free", section="sport")
    assert (copy.tier, copy.section) == ("free", "sport")


def test_the_names_other_tools_use_are_understood():
    copy = read_story("---\ntitle: Board votes\ndescription: Nine to six.\nauthor: Mira Tolland\n---\nText.")
    assert (copy.headline, copy.standfirst, copy.bylines, copy.section) == (
        "Board votes",
        "Nine to six.",
        ("Mira Tolland",),
        "",
    )


@pytest.mark.parametrize(("text", "message"), [
    ("no front matter", "first line must be ---"), ("---\nheadline: x\n", "not closed"),
    ("---\nstandfirst: x\n---\ntext", "`headline` is missing"), ("---\nheadline: x\n---\n", "no text"),
    ("---\nheadline: x\nsecton: y\n---\ntext", "secton"), ("---\n[\n---\ntext", "not YAML"),
    ("---\n- a\n---\ntext", "name: value"), ("---\nheadline: x\npriority: high\n---\ntext", "whole number"),
    ("---\nheadline: x\nbyline: {a: b}\n---\ntext", "list of names"),
])  # fmt: skip
def test_a_file_that_is_no_story_says_what_is_wrong(text, message):
    with pytest.raises(StoryFileError, match=message):
        read_story(text)


def test_html_in_markdown_stays_text_and_links_are_safe():
    assert "<script" not in to_html("<script>alert(1)</script>")
    assert "href" not in to_html("[x](javascript:alert(1))")
    assert to_html("[x](https://e.example/)") == ('<p><a href="https://e.example/" rel="noopener nofollow">x</a></p>\n')
