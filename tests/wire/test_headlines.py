from broadsheet.wire.headlines import derive_headline, first_sentence, read_headline
from broadsheet.wire.items import Takes


def test_markers_become_signals():
    assert read_headline("UPDATE 2-Alderport raises toll").text == "Alderport raises toll"
    assert read_headline("UPDATE 2-Alderport raises toll").signals == ("update",)
    assert read_headline("UPDATE 2-Alderport raises toll").label == "UPDATE 2"
    assert read_headline("CORRECTED-UPDATE 1-Toll raised").signals == ("correction", "update")
    assert read_headline("Toll raised (2nd Lead)").text == "Toll raised"
    assert read_headline("Toll raised (Corrected)").signals == ("correction",)
    assert read_headline("Alderport to raise toll (2nd take)").takes == Takes(n=2)


def test_kill_notice_keeps_its_words():
    kill = read_headline("MANDATORY KILL: Harbour Toll")
    assert (kill.kill, kill.text, kill.signals) == (True, "MANDATORY KILL: Harbour Toll", ("kill",))
    assert read_headline("KILL").kill
    assert not read_headline("Killings fall in Alderport").kill
    assert not read_headline("KILL THE LIGHTS opens in New Alder").kill


def test_ordinary_headlines_stay():
    for text in (
        "Updates on the ferry strike",
        "Lead in water: Alderport warns",
        "Toll raised (again)",
        "Breaking up is hard to do",
    ):
        assert read_headline(text).text == text


def test_first_sentence_knows_abbreviations():
    assert first_sentence("U.S. envoy Ola Rees met Dr. Brenn. They ate.") == "U.S. envoy Ola Rees met Dr. Brenn."
    assert first_sentence('"We held," Brenn said. More later.') == '"We held," Brenn said.'


def test_trailing_attribution_is_dropped_and_a_clause_is_the_cut():
    sentence = (
        "Aldland's Minister of Ports Edda Brenn has asked Brentland to ease the queue of ships in the northern sound over a telephone call "
        "with her counterpart Ola Rees, the Aldish Ministry of Ports has said."
    )
    assert (
        derive_headline(sentence)
        == "Aldland's Minister of Ports Edda Brenn has asked Brentland to ease the queue of ships in the northern sound"
    )


def test_short_sentence_is_the_headline_without_its_full_stop():
    assert (
        derive_headline("The grain index fell 1.2 percent in February. More soon.")
        == "The grain index fell 1.2 percent in February"
    )


def test_apposition_is_no_place_to_cut():
    text = derive_headline(
        "Edda Brenn, the chair of the harbour board of Alderport and a former pilot, has asked the northern ports to lower their dues."
    )
    assert text.endswith("…")
    assert text.startswith("Edda Brenn, the chair of the harbour board of Alderport and a former pilot, has asked")
    assert len(text) <= 110


def test_nothing_gives_nothing():
    assert derive_headline("") == ""
