"""Stories of past years for the demo's archive. All of it is invented: places, people and events."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from broadsheet.archive.actions import write_pending
from broadsheet.archive.transfer import bring_in_rows
from broadsheet.archive.transfer_rows import Line
from broadsheet.newsroom.actions import Copy
from broadsheet.newsroom.importing import OldStory

OLD = """
1997-08-15|politics|The first issue, and a promise|We shall print what we know, say how we know it, and correct what we got wrong.
1998-05-04|economy|Sonpar mill opens with four hundred looms|The looms ran at six in the morning, before the minister had finished his tea.
1999-11-02|world|Harbour towns rebuild after the great storm|Two hundred boats were lost along the coast; the insurers counted sixty.
2000-01-03|technology|Clocks roll over and little happens|The night shift at the exchange brought sandwiches and went home at five.
2001-02-28|markets|The exchange ends floor trading in Dhumra|For a century brokers shouted. On Thursday the loudest thing was the air conditioning.
2002-06-18|sport|Nine wickets before lunch at the old ground|The spinner was nineteen, and had borrowed the shoes.
2003-09-09|science|A comet by daylight over the observatory|Schoolchildren stood in a queue round the dome and missed the first lesson.
2004-12-29|world|Along the coast, lists of names|Volunteers wrote them on school blackboards and copied them by hand.
2005-07-27|politics|A month of rain in one day|The trains stopped at noon and the city walked home, which took until morning.
2006-03-11|companies|Kestrel Foundries sells its last furnace|The men who lit it in 1961 were invited to see it put out.
2007-10-30|markets|Index passes a round number, twice|It crossed at eleven, fell back at noon, and crossed again for the cameras.
2008-09-16|markets|A bank falls abroad, and queues form here|The chairman said the deposits were safe. The queue asked him to say it again.
2009-05-17|politics|The count is over before the tea is cold|Machines told in three hours what clerks had told in three days.
2010-10-14|sport|A closing night, and the stadium empties slowly|Nobody wanted to be the first to leave the floodlights.
2011-04-03|sport|Twenty-eight years later, the cup comes home|The last ball went into the stands and so did most of the city.
2012-07-31|economy|The night the northern grid went dark|Six hundred million people lost their lights; the hospitals had diesel until noon.
2013-09-05|economy|The governor's first afternoon|He read for twenty minutes and the currency rose for each of them.
2014-05-17|politics|A landslide, seat by seat|Our map had to be printed again with a different ink.
2015-11-13|culture|The last single-screen cinema in Dhumra closes|It closed with the film it had opened with; eleven tickets were sold.
2016-11-09|economy|Notes that were money at eight|By midnight the queues had chairs.
2017-07-01|economy|One tax at midnight|Traders stayed open to see the first bill printed, and it printed twice.
2018-08-18|world|Rivers in the south leave their beds|Fishermen came from the coast with boats on lorries and asked for no address.
2019-03-22|science|A lander is silent at the last minute|The control room stood up, and then sat down again one by one.
2020-03-25|politics|The streets at nine in the morning|You could hear the traffic light change.
2021-04-24|world|Oxygen, by road, with an escort|The lorry driver had slept four hours in three days and would not give his name.
2022-11-20|sport|A final in a desert|It was winter there as well, said the groundsman, but nobody had told the grass.
2023-08-24|science|Soft dust at the southern rim|Fourteen minutes in which nobody in the room looked away.
2024-06-05|politics|The morning after a long count|Both parties held a victory lunch; one of them had booked it in advance.
2025-01-14|culture|Sonpar mill, now a library|The looms were sold for scrap in 2009. The reading room has kept the roof, and the light.
2025-11-21|companies|Kestrel comes back as batteries|The old foundry's gate has a new lock and the same watchman.
2026-02-02|economy|A budget in forty-one minutes|It was the shortest in thirty years, and the longest in footnotes.
2026-06-19|markets|The day the screens in Dhumra went blank|Trading resumed after ninety minutes, from paper, with pencils.
"""
SECOND = "This story is invented for the demo, like all of them, and what it resembles it resembles from afar."
THIRD = (
    "Those who were there tell it differently now, and two of them tell it better. Their letters are in the box in our "
    "cellar, with the date on it and a ribbon."
)
FOURTH = (
    "The paper of that day cost two rupees, had fourteen pages and a hole where an advertisement had been withdrawn at "
    "midnight."
)


def furnish(now: datetime) -> None:
    """Put the old stories in, as an import would, unless they are there."""
    zone = settings.BROADSHEET.zone
    rows = [line.split("|") for line in OLD.strip().splitlines()]
    lines = []
    for place, (day, section, headline, standfirst) in enumerate(rows):
        at = datetime.fromisoformat(f"{day}T06:00").replace(tzinfo=zone)
        if at < now:
            copy = Copy(
                headline=headline,
                standfirst=standfirst,
                body_html="".join(f"<p>{words}</p>" for words in (standfirst, SECOND, THIRD, FOURTH)),
                section=section,
                tier="metered" if place % 3 else "premium",
                bylines=("From our archive",),
            )
            lines.append(Line(f"demo:{day}", OldStory(copy, at), (), "demo"))
    bring_in_rows(lines, now=now)
    write_pending()
