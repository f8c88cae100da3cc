"""When the demo's agency files arrive: pure data.

The files lie in `wire/`, numbered in the order of arrival. An instant in them is written as a mark, `[[AT]]` for the
moment of arrival, `[[AT+6h]]` or `[[AT-80s]]` for one beside it, `[[AT|mail]]` in the form mail and RSS use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of `wire/` that lands in the incoming folder `after` seconds of the paper's running."""

    after: int
    file: str
    why: str


ARRIVALS: Final = (
    Arrival(15, "01-strait-debate.xml", "a story in NewsML-G2, version 1"),
    Arrival(35, "02-pns-signal-box.xml", "an RSS item with its full text"),
    Arrival(55, "03-freight-index.json", "a story in ninjs"),
    Arrival(75, "04-pns-page.txt", "a saved page with sign-off, initials, disclaimer, Also Read and a price list"),
    Arrival(95, "05-jhalar-bridge.json", "a report that will turn out to be wrong"),
    Arrival(115, "06-strait-debate-update.xml", "version 2 of the first story: updates it in place"),
    Arrival(135, "07-cut-off.xml", "a file that broke off on the way: quarantined"),
    Arrival(155, "08-nwa-sport.xml", "two RSS items in one file"),
    Arrival(175, "09-jhalar-bridge-kill.json", "the agency withdraws the report: it comes down at once"),
    Arrival(195, "10-embargo-census.xml", "embargoed for six hours: held"),
    Arrival(215, "11-nwa-page.txt", "a saved page that quotes a broadcaster"),
    Arrival(235, "12-hindi-mela.json", "a story in Hindi"),
)
