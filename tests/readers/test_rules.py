import pytest

from broadsheet.readers.rules import local_path


@pytest.mark.parametrize(
    "target",
    ["/", "/india/a-story-12", "/subscribe/annual/?next=%2Findia%2Fa-1", "/search?q=a+b", "/hi/%E0%A4%95-9#top"],
)
def test_a_path_of_this_site_is_kept(target):
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "", "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "/a\\b", "javascript:alert(1)",
        "evil.example", " /a", "/\t/evil.example", "/a\nSet-Cookie: x", "/a b", "/" + "a" * 1500, "///evil.example",
    ],
)  # fmt: skip
def test_any_other_target_is_dropped(target):
    assert local_path(target) == ""
