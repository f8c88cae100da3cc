import tomllib

import pytest

from broadsheet.server.options import NOT_BUILT_YET, OPTIONS, OptionError, load, template


def test_an_empty_folder_has_every_default(tmp_path):
    options = load(tmp_path, {})
    assert {option.name: getattr(options, option.name) for option in OPTIONS} == {
        option.name: option.default for option in OPTIONS
    }
    assert set(options.sources.values()) == {"default"}


def test_the_environment_overrides_the_file_and_both_override_the_default(tmp_path):
    (tmp_path / "broadsheet.toml").write_text('free_limit = 4\nname = "The Post"\n')
    options = load(tmp_path, {"BROADSHEET_FREE_LIMIT": "3"})
    assert (options.free_limit, options.name) == (3, "The Post")
    assert (options.sources["free_limit"], options.sources["name"]) == ("BROADSHEET_FREE_LIMIT", "broadsheet.toml")


@pytest.mark.parametrize(("name", "value"), [
    ("free_limit", "many"), ("free_limit", "-1"), ("free_limit", "2.5"), ("free_limit", "100000"), ("port", "0"),
    ("time_zone", "Mars/Olympus"), ("currency", "RUPEE"), ("meter_window", "year"), ("meter_window", "rolling:0"),
    ("meter_window", "rolling:x"), ("meter_mode", "hard"), ("public_url", "news.example"),
    ("public_url", "https://news.example/path"), ("name", " "), ("section_limits", "sport"),
    ("section_limits", "sport=2,world"), ("section_limits", "sport=2,sport=3"), ("section_limits", "=2"),
    ("section_limits", "sport=-1"), ("section_limits", "sport=251"), ("gift_quota", "-1"), ("gift_days", "0"),
    ("gift_devices", "0"),
])  # fmt: skip
def test_a_bad_value_names_the_option_and_gives_a_hint(tmp_path, name, value):
    with pytest.raises(OptionError, match=f"^{name} = .*: (write|choose) "):
        load(tmp_path, {f"BROADSHEET_{name.upper()}": value})


def test_ceilings_of_sections_are_a_table_or_pairs(tmp_path):
    wanted = {"markets": 2, "opinion": 0}
    assert load(tmp_path, {"BROADSHEET_SECTION_LIMITS": " markets=2, opinion = 0 "}).section_limits == wanted
    (tmp_path / "broadsheet.toml").write_text("[section_limits]\nmarkets = 2\nopinion = 0\n")
    assert load(tmp_path, {}).section_limits == wanted
    assert load(tmp_path, {"BROADSHEET_SECTION_LIMITS": ""}).section_limits == {}


def test_a_misspelt_option_is_not_ignored(tmp_path):
    (tmp_path / "broadsheet.toml").write_text("free_limits = 4\n")
    with pytest.raises(OptionError, match="free_limits"):
        load(tmp_path, {})


def test_a_broken_file_says_where(tmp_path):
    (tmp_path / "broadsheet.toml").write_text("name = \n")
    with pytest.raises(OptionError, match=r"broadsheet\.toml cannot be read"):
        load(tmp_path, {})


def test_the_value_of_a_secret_is_never_shown(tmp_path):
    with pytest.raises(OptionError) as error:
        load(tmp_path, {"BROADSHEET_DATABASE_URL": "postgres://u:hunter2@h/db", "BROADSHEET_FREE_LIMIT": "x"})
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("name", sorted(NOT_BUILT_YET))
def test_an_option_that_is_not_built_yet_stops_the_start(tmp_path, name):
    with pytest.raises(OptionError, match="not supported by this version"):
        load(tmp_path, {f"BROADSHEET_{name.upper()}": "redis://127.0.0.1"})


@pytest.mark.parametrize("url", ["localhost:6379", "https://valkey.example", "valkey://:hunter2/@host", "redis://a:b"])
def test_an_address_of_the_meter_that_is_none_stops_the_start_and_shows_nothing(tmp_path, url):
    with pytest.raises(OptionError, match="write valkey://") as error:
        load(tmp_path, {"BROADSHEET_VALKEY_URL": url})
    assert "hunter2" not in str(error.value)


def test_an_address_of_the_meter_is_taken_as_it_is(tmp_path):
    url = "valkey://:hunter2@a:7000,b:7001"
    assert load(tmp_path, {"BROADSHEET_VALKEY_URL": url}).valkey_url == url


def test_the_template_lists_every_option_and_changes_nothing(tmp_path):
    assert tomllib.loads(template()) == {}
    for option in OPTIONS:
        assert (f"# {option.name} = " in template()) == (option.name not in NOT_BUILT_YET)
    uncommented = "\n".join(
        line.removeprefix("# ") for line in template().splitlines() if " = " in line and line.startswith("# ")
    )
    (tmp_path / "broadsheet.toml").write_text(uncommented)
    written, defaults = load(tmp_path, {}), load(tmp_path / "none", {})
    assert {o.name: getattr(written, o.name) for o in OPTIONS if o.default != ""} == {
        o.name: getattr(defaults, o.name) for o in OPTIONS if o.default != ""
    }


def test_a_port_of_its_own_moves_the_default_address(tmp_path):
    assert load(tmp_path, {"BROADSHEET_PORT": "8123"}).public_url == "http://localhost:8123"
