"""The known ways past a wall, each with where it is tried: rows of the attack catalogue, by class. Pure data.

`tried`: rounds of the scratch check (report.ROUNDS), classes of tricks (`tricks.<group>`), modes (`modes.<name>`), or
tests of their own (`tests/…`). A row that does not apply says why instead.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    number: int
    what: str
    tried: tuple[str, ...]
    why_not: str = ""


CLASSES = (
    ("Payload", "hidden text anywhere in what is sent: markup, data, comments, headers, in any encoding"),
    ("Identity", "robots by name, referrers, forwarded addresses, parameters, forged and left-over cookies"),
    ("Meter", "fresh, edited and old cookies, races, looks that are not reads, signing in and out, changed limits"),
    ("Other forms", "feeds, search, sitemaps, print and other forms, guessed addresses, letters"),
    ("HTTP and caches", "ranges, validators, methods, hosts, spellings of the address, shared caches, timing"),
    ("Sessions and gifts", "rights that ended, signed-out browsers, gifts and seats used twice or elsewhere"),
    ("Payers", "whoever may read gets the whole story, without a wall, and is not counted"),
)

ROWS: tuple[Row, ...] = (
    Row(1, "overlay above the full text", ("walls", "surfaces")),
    Row(2, "hidden by style", ("walls", "surfaces")),
    Row(3, "JSON-LD articleBody", ("walls", "tests/leakcheck/test_extractors.py")),
    Row(4, "state for scripts", ("walls", "surfaces")),
    Row(5, "template, noscript, comments, srcdoc", ("walls", "tests/leakcheck/test_decoding.py")),
    Row(7, "attributes, captions, boxes", ("walls", "surfaces")),
    Row(8, "long descriptions", ("walls", "surfaces")),
    Row(9, "alternate representations that are linked", ("surfaces",)),
    Row(10, "scripts switched off", ("walls",)),
    Row(11, "reader modes", ("tests/leakcheck/test_extractors.py",)),
    Row(12, "print views", ("tricks.parameters", "tricks.path")),
    Row(16, "placeholders and missing values", ("walls", "surfaces", "tests/leakcheck/test_seed_pages.py")),
    Row(17, "robots by name", ("tricks.identity",)),
    Row(18, "robots by name and forwarded address", ("tricks.identity", "tricks.fuzz", "modes.https behind a proxy")),
    Row(20, "names that look like a search engine's", (), "no robot is let in: a name has nothing to gain"),
    Row(22, "referrers", ("tricks.identity",)),
    Row(23, "parameters", ("tricks.parameters", "tricks.fuzz")),
    Row(25, "Signature-Agent that points inside", ("tricks.identity",)),
    Row(26, "licence tokens", ("tricks.identity",)),
    Row(27, "payment headers", ("tricks.identity",)),
    Row(28, "a campus's address, the one beside it, forwarded", ("changes",)),
    Row(30, "cleared cookies", ("modes.budget of meters",)),
    Row(31, "no cookies at all", ("modes.strict meter", "modes.budget of meters")),
    Row(32, "one cookie or storage key deleted", ("forged", "meters")),
    Row(33, "an edited cookie", ("forged", "modes.strict meter", "modes.https behind a proxy")),
    Row(38, "one story many times at once", ("meters",)),
    Row(39, "a second look at the limit", ("meters", "modes.limit lowered")),
    Row(41, "HEAD, prefetch", ("meters", "walls")),
    Row(44, "limit and window changed", ("modes.limit lowered", "modes.limit raised", "modes.other window")),
    Row(45, "many accounts", ("meters",)),
    Row(46, "signing in and out again", ("meters",)),
    Row(48, "AMP", ("surfaces", "tricks.parameters", "tricks.path")),
    Row(49, "feeds", ("surfaces",)),
    Row(50, "APIs", ("surfaces", "apps", "tricks.path")),
    Row(53, "counts that tell", ("searches", "surfaces")),
    Row(54, "oEmbed and cards", ("surfaces", "tricks.path")),
    Row(55, "sitemaps", ("surfaces", "changes")),
    Row(56, "letters and their web copies", ("exposure", "benefits")),
    Row(58, "e-paper: pages, thumbnails, text layers, clippings", ("benefits",)),
    Row(59, "old years: search, calendar, counts", ("benefits",)),
    Row(61, "other hosts", ("tricks.host", "surfaces")),
    Row(62, "words in pictures' metadata", ("surfaces",)),
    Row(63, "partners' feeds", ("surfaces",)),
    Row(64, "HEAD tells the full length", ("walls", "surfaces")),
    Row(65, "ranges", ("tricks.http", "surfaces", "caches")),
    Row(67, "methods and overrides", ("tricks.methods", "surfaces")),
    Row(68, "hosts", ("tricks.host",)),
    Row(69, "spellings of a path", ("tricks.path", "tricks.fuzz")),
    Row(70, "rewriting headers", ("tricks.rewrite",)),
    Row(71, "addresses that look like files", ("caches", "tricks.path")),
    Row(72, "a subscriber's page out of a cache", ("caches",)),
    Row(76, "timing of what is not published", ("timing",)),
    Row(78, "smuggled requests", ("forged", "tests/gate/test_wire_hostile.py")),
    Row(79, "other origins", ("surfaces", "tests/gate/test_http_contract.py")),
    Row(80, "debug pages, back-ups, the editors' screens", ("surfaces", "exposure")),
    Row(
        81,
        "shared passwords",
        (),
        "copies of a session are the reader's own session; devices are listed, ended and, by option, limited",
    ),
    Row(82, "rights that ended, cookies after signing out", ("changes", "forged")),
    Row(83, "tokens of another kind", ("forged",)),
    Row(84, "gifts: other story, device too many, re-gifted, taken back", ("changes",)),
    Row(85, "the last second of a right", ("tests/access/test_rules.py",)),
    Row(87, "codes used twice", ("tests/partners/test_parallel.py", "tests/partners/test_claims.py")),
    Row(88, "archives and translators", ("tricks.identity",)),
    Row(89, "link previews", ("tricks.identity", "changes")),
    Row(90, "agents in real browsers", ("meters",)),
    Row(91, "a subscriber's own archiving", (), "not in this version"),
    Row(
        92,
        "a wall for who may read, a wrong limit, a missing credit",
        ("walls", "meters", "caches", "modes.login mode"),
    ),
)


def as_markdown() -> str:
    """The table of docs/leakcheck.md."""
    lines = ["| row | what is tried | where |", "|---|---|---|"]
    for row in ROWS:
        where = ", ".join(f"`{one}`" for one in row.tried) or f"*{row.why_not}*"
        lines.append(f"| {row.number} | {row.what} | {where} |")
    return "\n".join(lines) + "\n"
