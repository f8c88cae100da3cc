"""Watch lists and alerts: a reader's own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from broadsheet import clock
from broadsheet.markets import actions, inputs, personal_queries, queries
from broadsheet.markets.actions import RefusedError
from broadsheet.markets.doors import page, room
from broadsheet.markets.values import ALERT_KINDS
from broadsheet.markets.views import SAID, WRONG


@room("watch", "GET", "HEAD", "POST")
def watch(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _changed(request)
    values = {
        "lists": personal_queries.watch_lists(request.user.pk),
        "alerts": personal_queries.alerts(request.user.pk),
        "kinds": ALERT_KINDS,
        "alert_for": queries.quote(request.GET.get("alert", "")[:60]),
        "did": request.session.pop(SAID, ""),
        "why": request.session.pop(WRONG, ""),
        "email": request.user.email,
    }
    return page(request, "markets/watch.html", values)


def _changed(request: HttpRequest) -> HttpResponse:
    """Do what a form asks; what cannot be is said on the page it came from."""
    form = request.POST
    do = _VERBS.get(form.get("do", ""), _nothing)
    try:
        said = do(request.user.pk, form)
        if said:
            request.session[SAID] = said
    except (RefusedError, ValueError) as refusal:
        request.session[WRONG] = str(refusal)
    back = queries.quote(form.get("back", "")[:60])
    return redirect("instrument", code=back.code) if back else redirect("watch_lists")


def number(form: QueryDict, name: str) -> int:
    """An id in a form; 0, which nothing has, for what is none."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0  # noqa: PLR2004


def meant(words: str) -> str:
    """The code of the instrument a reader wrote; RefusedError when none or several could be meant."""
    text = " ".join(words.replace("\0", " ").split())[:60]
    exact = queries.quote(text.lower())
    if exact:
        return exact.code
    found = queries.find(text, 5)
    same = [one for one in found if text.lower() in {one.symbol.lower(), one.name.lower(), one.isin.lower()}] or found
    if not same:
        raise RefusedError(f"No instrument is called “{text}”." if text else "Name an instrument.")
    if len(same) > 1:
        names = "; ".join(f"{one.name} ({one.exchange} {one.symbol})" for one in same)
        raise RefusedError(f"Several could be meant: {names}. Write the symbol with its exchange, such as nse-symbol.")
    return same[0].code


def _nothing(reader_id: int, form: QueryDict) -> str:  # noqa: ARG001 - a verb like the others
    raise RefusedError("Nothing was changed.")


def _make(reader_id: int, form: QueryDict) -> str:
    actions.make_watch_list(reader_id=reader_id, name=form.get("name", ""), now=clock.now())
    return "The list is made."


def _rename(reader_id: int, form: QueryDict) -> str:
    actions.rename_watch_list(reader_id=reader_id, list_id=number(form, "list"), name=form.get("name", ""))
    return "The list has its new name."


def _delete(reader_id: int, form: QueryDict) -> str:
    actions.delete_watch_list(reader_id=reader_id, list_id=number(form, "list"))
    return "The list is deleted."


def _add(reader_id: int, form: QueryDict) -> str:
    code = meant(form.get("code", ""))
    actions.add_to_watch_list(reader_id=reader_id, code=code, now=clock.now(), list_id=number(form, "list") or None)
    return "It is on your list."


def _remove(reader_id: int, form: QueryDict) -> str:
    actions.remove_from_watch_list(reader_id=reader_id, list_id=number(form, "list"), code=form.get("code", ""))
    return "It is off the list."


def _move(reader_id: int, form: QueryDict) -> str:
    up = form.get("do") == "up"
    actions.move_on_watch_list(reader_id=reader_id, list_id=number(form, "list"), code=form.get("code", ""), up=up)
    return ""


def _alert(reader_id: int, form: QueryDict) -> str:
    kind, text = form.get("kind", ""), form.get("level", "")
    level = inputs.basis_points(text) if kind == "change" else inputs.scaled(text, "the level")
    actions.set_alert(reader_id=reader_id, code=meant(form.get("code", "")), kind=kind, level=level, now=clock.now())
    return "The alert is set. It comes by mail after the close of the day."


def _delete_alert(reader_id: int, form: QueryDict) -> str:
    actions.delete_alert(reader_id=reader_id, alert_id=number(form, "alert"))
    return "The alert is deleted."


_VERBS: dict[str, Callable[[int, QueryDict], str]] = {
    "make": _make,
    "rename": _rename,
    "delete": _delete,
    "add": _add,
    "remove": _remove,
    "up": _move,
    "down": _move,
    "alert": _alert,
    "delete-alert": _delete_alert,
}
