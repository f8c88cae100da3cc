from broadsheet.wire.sources import find_quotes, find_via


def quotes(text):
    return [(q.text, q.speaker) for q in find_quotes([text])]


def test_tight_patterns_name_the_speaker():
    assert quotes('"We held the price for six years," Brenn told reporters.') == [
        ("We held the price for six years", "Brenn")
    ]
    assert quotes("“We held the price for six years,” said Edda Brenn on Monday.") == [
        ("We held the price for six years", "Edda Brenn")
    ]
    assert quotes('"We expect them to honour the treaty." Harbour TV quoted Brenn as saying.') == [
        ("We expect them to honour the treaty.", "Brenn")
    ]


def test_a_pronoun_names_nobody_and_scare_quotes_are_no_quotes():
    assert quotes('"The light is part of our coast," she told reporters.') == [("The light is part of our coast", None)]
    assert quotes('The step was called "badly timed" by shippers.') == []
    assert quotes('Brenn said in a statement that "the dues will have to rise again soon" and left.') == [
        ("the dues will have to rise again soon", None)
    ]


def test_via_is_who_the_copy_leans_on():
    assert find_via(["Ties are strained, Xinhua reported."]) == ("Xinhua",)
    assert find_via(['"We expect them to honour it." CNN quoted Brenn as saying.']) == ("CNN",)
    assert find_via(["Twelve ships wait, according to Reuters."]) == ("Reuters",)
    assert find_via(["The statement came on Wednesday, Norwave reported."]) == ("Norwave",)


def test_via_is_not_the_credit_nor_a_person():
    assert find_via(["Twelve ships wait, Reuters reported."], credit="Reuters") == ()
    assert find_via(["Rees quoted Brenn as saying it was over.", "Rees said so."]) == ()
    assert (
        find_via(["The police reported a calm night.", "He reported to the board.", "according to the statement"]) == ()
    )
