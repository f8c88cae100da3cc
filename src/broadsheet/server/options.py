"""The one option table: `broadsheet.toml` in the data folder, overridden by BROADSHEET_<NAME>.

A bad value stops the start.

`broadsheet config` prints it, `broadsheet init` writes it out commented, and docs/options.md is checked against it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from broadsheet.access.adapters.addresses import servers_of
from broadsheet.access.values import choice as _choice
from broadsheet.access.values import section_limits as _limits
from broadsheet.access.values import whole_number as _count
from broadsheet.access.values import window as _window
from broadsheet.access.values import zone as _zone
from broadsheet.ads.rules import is_host, seller_problem, target_problem
from broadsheet.money import is_currency
from broadsheet.payments.places import clean_gstin, state_named


class OptionError(Exception):
    """A setting that cannot be used: names the option, says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table. `parse` takes a TOML value or an environment string and returns the value or raises
    ValueError with a hint."""

    name: str
    type: str
    default: Any
    help: str
    parse: Callable[[Any], Any] = field(repr=False, default=str)
    secret: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write some text")
    return value.strip()


def _maybe(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("write text, or leave it empty")
    return value.strip()


def _url(value: Any) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError("write the site's address without a path, such as https://news.example")
    return f"{parts.scheme}://{parts.netloc}"


def _currency(value: Any) -> str:
    code = str(value).upper()
    if not is_currency(code):
        raise ValueError("write a three-letter currency code, such as INR")
    return code


def _list(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError('write a list, such as ["en", "hi"]')
    return tuple(str(item).strip() for item in items if str(item).strip())


def _origins(value: Any) -> tuple[str, ...]:
    return tuple(_url(origin) for origin in _list(value))


def _networks(value: Any) -> tuple[str, ...]:
    names = _list(value)
    for name in names:
        try:
            ip_network(name, strict=False)
        except ValueError:
            raise ValueError('write addresses or networks, such as ["127.0.0.1", "10.0.0.0/8"]') from None
    return names


def _days(value: Any) -> tuple[int, ...]:
    """Days after a due date, growing; the first try is on the due date itself."""
    items = _list(value) if isinstance(value, str) else value
    try:
        days = tuple(_count(0, 366)(item) for item in items)
    except (TypeError, ValueError):
        days = ()
    if not days or days[0] != 0 or list(days) != sorted(set(days)):
        raise ValueError("write growing numbers of days that begin with 0, such as [0, 3, 7, 14]")
    return days


def _stages(value: Any) -> tuple[tuple[int, str], ...]:
    """`30 changes`, `40 access`, `50 cancel`: what an unpaid invoice takes away after so many days."""
    stages = []
    for item in _list(value):
        days, _, block = item.partition(" ")
        if not days.isdecimal() or block.strip() not in ("changes", "access", "cancel"):
            raise ValueError('write stages such as ["30 changes", "40 access", "50 cancel"]')
        stages.append((int(days), block.strip()))
    return tuple(sorted(stages))


def _hour(value: Any) -> str:
    if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(value)):
        raise ValueError("write a time of day, such as 05:30, or leave it empty")
    return str(value)


def _state(value: Any) -> str:
    state = state_named(str(value)) if value else ""
    if state is None:
        raise ValueError("write the name of an Indian State or Union Territory, such as Delhi, or leave it empty")
    return state


def _gstin(value: Any) -> str:
    return clean_gstin(str(value)) if value else ""


def _sac(value: Any) -> str:
    if not (str(value).isdecimal() and len(str(value)) in (4, 6)):
        raise ValueError("write a service accounting code of four or six digits, such as 998431")
    return str(value)


def _valkey(value: Any) -> str:
    if value:
        servers_of(str(value))
    return str(value)


def _flag(value: Any) -> bool:
    """True or false, as TOML or an environment says it."""
    if isinstance(value, bool):
        return value
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if str(value).lower() not in known:
        raise ValueError("write true or false")
    return known[str(value).lower()]


def _script(value: Any) -> str:
    """The address of a script on another host, or nothing."""
    text = str(value).strip()
    problem = target_problem(text, house=False) if text else ""
    if problem or not set(text).isdisjoint(";,'\""):
        raise ValueError("write the script's full address, such as https://tags.example/paper.js")
    return text


def _hosts(value: Any) -> tuple[str, ...]:
    names = tuple(name.lower() for name in _list(value))
    if not all(map(is_host, names)):
        raise ValueError('write the names of hosts, such as ["cdn.tags.example"]')
    return names


def _sellers(value: Any) -> tuple[str, ...]:
    """Lines of ads.txt; in the environment they are parted by line breaks."""
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple):
        raise ValueError('write a list of lines, such as ["exchange.example, 1234, DIRECT"]')
    for line in lines:
        problem = seller_problem(str(line))
        if problem:
            raise ValueError(f"the line {str(line)[:80]!r} {problem}")
    return tuple(str(line).strip() for line in lines)


def _source(value: Any) -> str:
    """An address from which figures are fetched, or nothing."""
    text = str(value).strip()
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment):
        raise ValueError("write a full address, such as https://prices.example/eod.json")
    return text


def _rates(value: Any) -> dict[str, int]:
    """A mapping of domains, or `gmail.com=20,outlook.com=10`."""
    if isinstance(value, str):
        value = dict(pair.split("=", 1) if "=" in pair else (pair, "") for pair in value.split(",") if pair.strip())
    if not isinstance(value, Mapping):
        raise ValueError("write domain = mails a second pairs")
    return {str(domain).strip().lower(): _count(1, 100_000)(rate) for domain, rate in value.items()}


OPTIONS: tuple[Option, ...] = (
    Option("name", "text", "The Daily Broadsheet", "The paper's name, as the masthead shows it.", _text),
    Option("tagline", "text", "", "A line under the name.", _maybe),
    Option("public_url", "URL", "http://localhost:8000", "Where readers find the paper; decides the cookies.", _url),
    Option("time_zone", "zone", "Asia/Kolkata", "The publisher's zone: dates, meter and billing follow it.", _zone),
    Option("languages", "list", ("en", "hi"), "Languages of stories, the first one the paper's own.", _list),
    Option("currency", "code", "INR", "The currency of plans.", _currency),
    Option("free_limit", "count", 5, "Metered stories a visitor may read in a window.", _count(0, 250)),
    Option("registered_limit", "count", 10, "The same for registered readers, visits before signing in included.",
           _count(0, 250)),
    Option("meter_window", "window", "month", "month, week or rolling:N (N x 24 h from the first read).", _window),
    Option("meter_mode", "choice", "soft", "soft: the first visit reads; strict: a cookie must come back first; login: "
           "metered stories need an account.", _choice("soft", "strict", "login")),
    Option("meter_budget", "count", 0, "New meters per network (/24, /56; four times that for a /48) and day; 0 is "
           "unlimited. See docs/meter.md.", _count(0, 10**9)),
    Option("section_limits", "table", {}, "A ceiling for a section inside the one meter, by its slug.", _limits),
    Option("archive_free_months", "count", 3, "Months back that everybody may search and leaf through; older ones are "
           "the archive, a benefit of plans. 0 opens all of it to everybody.", _count(0, 1200)),
    Option("archive_since", "count", 1997, "The paper's first year, with which the archive's calendar begins.",
           _count(1500, 9000)),
    Option("gift_quota", "count", 10, "Stories a subscriber may give away in a calendar month; 0 switches gifts off.",
           _count(0, 10_000)),
    Option("gift_days", "count", 14, "Days for which a gift link opens its story.", _count(1, 366)),
    Option("gift_devices", "count", 10, "Devices on which one gift link opens its story.", _count(1, 10_000)),
    Option("epaper_clips_per_month", "count", 10, "Clippings of the e-paper that a subscriber may share by link in a "
           "calendar month; 0 switches sharing off.", _count(0, 10_000)),
    Option("epaper_clip_days", "count", 30, "Days for which a shared clipping can be seen.", _count(1, 366)),
    Option("epaper_downloads_per_day", "count", 5, "PDFs of editions that a subscriber may download in a day.",
           _count(0, 1_000)),
    Option("decision_days", "count", 7, "Days for which the gate's decisions are kept, by keyed digests, for `why` and "
           "for the dry run of a policy; 0 keeps none.", _count(0, 366)),
    Option("ads", "true or false", False, "Whether pages carry advertising, and a plan may include reading without.",
           _flag),
    Option("ads_sample", "count", 10, "One page in so many reports which advertisements were seen on it, without "
           "saying by whom; 0 counts none.", _count(0, 10_000)),
    Option("ads_tag_manager", "URL", "", "The script of a tag manager, loaded when a reader agrees to it and never "
           "before; empty is none.", _script),
    Option("ads_tag_hosts", "list", (), "Hosts from which that script may load more.", _hosts),
    Option("ads_txt", "list", (), "The lines of /ads.txt: who may sell this paper's advertising; empty is no file.",
           _sellers),
    Option("app_ads_txt", "list", (), "The lines of /app-ads.txt, the same for its apps.", _sellers),
    Option("markets_series", "list", (), "Series of shares taken from an exchange's files, such as EQ, BE; empty takes "
           "every series of shares, all takes bonds and the rest too.", _list),
    Option("markets_unknown", "choice", "create", "What happens to prices of an instrument that is not here yet: "
           "create it, or hold the row for an editor.", _choice("create", "hold")),
    Option("markets_jump_limit", "count", 40, "A price that moves by more percent in a day is held for an editor; 0 "
           "holds none.", _count(0, 10_000)),
    Option("markets_feed_url", "URL", "", "A JSON feed of prices, fetched after the exchanges close on a market day; "
           "empty fetches nothing.", _source),
    Option("markets_feed_key", "text", "", "Sent with it as a bearer token.", _maybe, secret=True),
    Option("markets_feed_hour", "count", 19, "The hour, in the exchanges' zone, from which the feed is asked.",
           _count(0, 23)),
    Option("dunning_days", "list", (0, 3, 7, 14), "Days after the due date on which a renewal is tried.", _days),
    Option("grace_days", "count", 7, "Days after the due date for which an unpaid renewal still opens stories.",
           _count(0, 366)),
    Option("cancel_after_days", "count", 21, "Days after the due date at which an unpaid subscription ends.",
           _count(0, 366)),
    Option("overdue_stages", "list", (), "Instead of grace_days: what an unpaid invoice takes away, such as "
           '"30 changes", "40 access", "50 cancel".', _stages),
    Option("proration_rounding", "choice", "half_up", "How a part of a price is rounded to the paisa.",
           _choice("half_up", "half_even", "down", "up")),
    Option("change_day", "choice", "new_plan", "Whose the day is on which a plan is changed.",
           _choice("new_plan", "old_plan")),
    Option("cancel_day", "choice", "used", "Whether the day on which a subscription is cancelled at once is used up.",
           _choice("used", "unused")),
    Option("auto_debit_limit", "count", 15_000, "The most, in whole INR, that is debited without the reader present "
           "(the Reserve Bank's limit for mandates); 0 is unlimited.", _count(0, 10**7)),
    Option("refund_limit", "count", 5_000, "Refunds above it, in whole units of the currency, wait for a second member "
           "of staff; 0 lets every refund go.", _count(0, 10**9)),
    Option("payment_provider", "text", "", "Where readers pay: razorpay, stripe, manual, sandbox, or one that another "
           "package brings; empty takes the one whose keys are written here, else the sandbox.", _maybe),
    Option("razorpay_key_id", "text", "", "The key id of Razorpay's API.", _maybe, secret=True),
    Option("razorpay_key_secret", "text", "", "The secret that belongs to it.", _maybe, secret=True),
    Option("razorpay_webhook_secret", "text", "", "What Razorpay signs its messages to /hooks/razorpay/ with.", _maybe,
           secret=True),
    Option("stripe_key", "text", "", "The secret or restricted key of Stripe's API.", _maybe, secret=True),
    Option("stripe_webhook_secret", "text", "", "What Stripe signs its messages to /hooks/stripe/ with.", _maybe,
           secret=True),
    Option("bank_details", "text", "", "What a reader who pays by transfer is shown: name, account, IFSC or IBAN, a "
           "line each.", _maybe),
    Option("sandbox_url", "URL", "", "A sandbox till that runs as a process of its own (`broadsheet till`).",
           lambda value: _url(value) if value else ""),
    Option("sandbox_secret", "text", "", "What that till and this paper know each other by.", _maybe, secret=True),
    Option("publisher_state", "text", "", "The publisher's State: readers there pay CGST and SGST, all others IGST.",
           _state),
    Option("publisher_gstin", "text", "", "The publisher's GSTIN, as invoices name it.", _gstin),
    Option("publisher_legal_name", "text", "", "Who invoices are from; empty is the paper's name.", _maybe),
    Option("publisher_address", "text", "", "The publisher's address on invoices, its lines parted by commas.", _maybe),
    Option("publisher_sac", "code", "998431", "The service accounting code on invoices where the tax rate names none.",
           _sac),
    Option("database_url", "URL", "", "postgres://…; empty is the SQLite file in the folder.", _maybe, secret=True),
    Option("valkey_url", "URL", "", "A meter that several machines share: valkey://:password@host:6379, several hosts "
           "with commas or a cluster, rediss:// for TLS; empty is a file in the data folder.", _valkey, secret=True),
    Option("search_url", "URL", "", "A search service; empty is the embedded engine.", _maybe, secret=True),
    Option("storage_url", "URL", "", "Object storage for pictures; empty is the data folder.", _maybe, secret=True),
    Option("email_url", "URL", "", "smtp://user:password@host:587, smtps://…, file:///folder; empty writes letters "
           "into the data folder.", _maybe, secret=True),
    Option("email_from", "address", "", "The sender of letters; empty is newsroom@ the public host.", _maybe),
    Option("newsletter_email_url", "URL", "", "Where newsletters go, as email_url; empty is email_url itself. A road "
           "of their own keeps sign-in codes fast.", _maybe, secret=True),
    Option("newsletter_from", "address", "", "The sender of newsletters; empty is email_from.", _maybe),
    Option("newsletter_rate", "count", 50, "Newsletter mails a second; 0 is as fast as the mail server takes them.",
           _count(0, 100_000)),
    Option("newsletter_connections", "count", 4, "Connections to the mail server while newsletters go out.",
           _count(1, 50)),
    Option("newsletter_domain_rates", "table", {}, "Mails a second to single domains: 20 for gmail.com.", _rates),
    Option("newsletter_opens", "choice", "off", "Whether letters carry a dot that counts openings per issue (never per "
           "reader).", _choice("off", "on")),
    Option("bounce_address", "address", "", "Where bounces come in, such as bounces@news.example; its server must take "
           "bounces+anything@. Empty: they go to the sender.", _maybe),
    Option("mail_webhook_secret", "text", "", "What a mail provider signs its messages to /newsletters/returns/ "
           "with.", _maybe, secret=True),
    Option("dkim_selector", "text", "", "The DKIM selector newsletters are signed under; empty leaves signing to the "
           "mail server.", _maybe),
    Option("dkim_domain", "text", "", "The domain that signs; empty is the sender's.", _maybe),
    Option("dkim_key_file", "path", "", "The PEM file of the signing key; empty is dkim-<selector>.pem in the data "
           "folder.", _maybe),
    Option("epaper_auto_at", "time", "", "When the automatic edition of the day is made by the rule, in the publisher's"
           " zone: 05:30; empty leaves it to the editors.", _hour),
    Option("epaper_download", "choice", "off", "Whether subscribers may download an edition as PDF, with their name on "
           "each page.", _choice("off", "on")),
    Option("leakcheck", "choice", "on", "Look for leaks from outside: each night and after each publication (on), only "
           "then (night, publish), or never (off).", _choice("on", "night", "publish", "off")),
    Option("leakcheck_url", "URL", "", "Where to look for leaks; empty is this program's own port. Write the public "
           "address to look through the cache in front.", lambda value: _url(value) if value else ""),
    Option("alarm_email", "address", "", "Who is written to when something leaks; empty is every administrator.",
           _maybe),
    Option("device_limit", "count", 0, "Browsers and apps one reader may be signed in with at once: the newest wins, "
           "the one not seen for longest is signed out and told. 0 is no limit.", _count(0, 1000)),
    Option("api_rate", "count", 600, "Requests a minute to the API from one reader's app, or from one network without "
           "a token.", _count(1, 10**6)),
    Option("partner_rate", "count", 6000, "Requests a minute for entitlements from one partner, over all its readers.",
           _count(1, 10**7)),
    Option("api_origins", "list", (), "Origins whose web pages may call the API from a browser, such as "
           "https://app.example. Empty: none but the paper's own.", _origins),
    Option("host", "address", "127.0.0.1", "The address to listen on.", _text),
    Option("port", "count", 8000, "The port to listen on.", _count(1, 65535)),
    Option("gate_memory", "count", 128, "Megabytes of printed pages that a gate worker keeps at hand.",
           _count(8, 10**6)),
    Option("press_gigabytes", "count", 20, "What printed pages may take on the disk; the oldest go and are "
           "printed again when somebody asks.", _count(1, 10**6)),
    Option("gate_workers", "count", 1, "Processes that answer readers; one a core is the most that helps.",
           _count(1, 64)),
    Option("tls_certificate", "path", "", "A PEM file with the certificate and its chain: the program ends TLS itself.",
           _maybe),
    Option("tls_key", "path", "", "The PEM file of its private key.", _maybe),
    Option("secret_key_file", "path", "", "The file of the installation's secret; empty is secret.key in the data "
           "folder, made on first use.", _maybe),
    Option("trusted_proxies", "list", (), "Addresses or networks whose X-Forwarded headers are believed.", _networks),
)  # fmt: skip

Options = make_dataclass(
    "Options",
    [(option.name, Any) for option in OPTIONS] + [("data", Path), ("demo", bool), ("sources", Any)],
    frozen=True,
    namespace={
        "zone": property(lambda self: ZoneInfo(self.time_zone)),
        "https": property(lambda self: self.public_url.startswith("https://")),
        "public_host": property(lambda self: urlsplit(self.public_url).netloc),
    },
)
Options.__doc__ = "Every option's value, and where the data lies. Built by load(); frozen for the life of the program."
NOT_BUILT_YET = {
    "search_url": "", "storage_url": "",
}  # fmt: skip
"""Options this version cannot honour yet: any other value stops the start instead of being ignored."""


def data_folder(argument: str | None = None) -> Path:
    """`--data`, else BROADSHEET_DATA, else ./broadsheet-data."""
    return Path(argument or os.environ.get("BROADSHEET_DATA") or "broadsheet-data").resolve()


def _read_toml(data: Path) -> dict[str, Any]:
    path = data / "broadsheet.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path.name} cannot be read: {error}") from None


def load(data: Path, environ: Mapping[str, str] | None = None) -> Any:
    """The options of the installation in `data`. OptionError for an unknown name or a value that cannot be used."""
    environ = os.environ if environ is None else environ
    written = _read_toml(data)
    unknown = sorted(set(written) - {option.name for option in OPTIONS})
    if unknown:
        raise OptionError(f"broadsheet.toml: there is no option {unknown[0]!r}. `broadsheet config` lists them.")
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        variable = f"BROADSHEET_{option.name.upper()}"
        given, source = option.default, "default"
        if option.name in written:
            given, source = written[option.name], "broadsheet.toml"
        if variable in environ:
            given, source = environ[variable], variable
        try:
            values[option.name] = option.default if source == "default" else option.parse(given)
        except ValueError as error:
            shown = "(secret)" if option.secret else repr(given)
            raise OptionError(f"{option.name} = {shown} from {source}: {error}.") from None
        sources[option.name] = source
    for name, only in NOT_BUILT_YET.items():
        if values[name] != only:
            raise OptionError(f"{name} is not supported by this version yet; leave it out.")
    if sources["public_url"] == "default":
        values["public_url"] = f"http://localhost:{values['port']}"
    if bool(values["tls_certificate"]) != bool(values["tls_key"]):
        raise OptionError("tls_certificate and tls_key belong together: set both or neither.")
    demo = environ.get("BROADSHEET_DEMO") == "1"
    return Options(**values, data=data, demo=demo, sources=sources)


def template() -> str:
    """A broadsheet.toml with every option commented."""
    lines = ["# The options of this paper. Each may also be set as BROADSHEET_<NAME> in the environment.", ""]
    for option in OPTIONS:
        if option.name in NOT_BUILT_YET:
            continue
        lines += [f"# {option.help}", f"# {option.name} = {_toml(option.default)}", ""]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(str(item) if isinstance(item, int) else f'"{item}"' for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def as_markdown() -> str:
    """docs/options.md, whole."""
    lines = [
        "# Options",
        "",
        "`broadsheet.toml` in the data folder, overridden by `BROADSHEET_<NAME>` in the environment. A bad value stops",
        "the start with the option's name and a hint. `broadsheet config` prints what holds, secrets redacted. This is",
        "generated from the table in `server/options.py` by `make docs`; a test compares.",
        "",
        "| option | type | default | what it does |",
        "|---|---|---|---|",
    ]
    for option in OPTIONS:
        later = " *Not in this version yet: any other value stops the start.*" if option.name in NOT_BUILT_YET else ""
        secret = " Secret." if option.secret else ""
        lines.append(f"| `{option.name}` | {option.type} | `{_toml(option.default)}` | {option.help}{secret}{later} |")
    return "\n".join(lines) + "\n"
