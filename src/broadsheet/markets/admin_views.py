"""The desk of the markets: files that came, rows that wait, corporate actions. None needs a script."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from broadsheet import clock
from broadsheet.bus.queries import standing
from broadsheet.markets import desk_queries as queries
from broadsheet.markets.actions import desk, imports, snapshots
from broadsheet.markets.actions.personal import RefusedError
from broadsheet.markets.files import LARGEST
from broadsheet.markets.jobs import FEED
from broadsheet.markets.values import ACTION_KINDS, SCALE

EDITS: Final = "markets.change_priceimport"
REASONS: Final = {
    "ambiguous": "several instruments of that name",
    "bad_date": "a date that is none",
    "bad_value": "a figure or ISIN that is none",
    "bad_zip": "a damaged zip file",
    "close_outside": "the close is not between low and high",
    "closed_day": "the exchange was closed",
    "columns": "the line does not fit the header",
    "double_row": "the instrument has several rows",
    "empty": "an empty file",
    "future": "a day that has not been yet",
    "high_below_low": "the high is below the low",
    "html_page": "a web page instead of a file",
    "isin_conflict": "another company under this symbol",
    "jump": "a price that moved too far",
    "negative": "a figure below zero",
    "no_close": "no closing price",
    "no_day": "no day in the file or its name",
    "no_rows": "no prices in the file",
    "not_text": "not a text file",
    "open_outside": "the open is not between low and high",
    "other_day": "a row of another day",
    "other_series": "a second series of the same share",
    "repeated row": "the same row again",
    "stale_copy": "the day before once more",
    "too_large": "too large",
    "unknown_instrument": "an instrument nobody knows",
    "unknown_layout": "no layout that is known",
    "wrong_day": "name and rows of different days",
    "zero_price": "a price of zero",
}


def told(reason: str) -> str:
    """A reason in words; of a series that is not followed its name."""
    return REASONS.get(reason, reason)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    held, proposed = queries.waiting()
    values = {**context, "waiting_held": held, "waiting_actions": proposed}
    # The admin's templates are Django's; the first engine in the settings is the reader pages' own.
    return TemplateResponse(request, f"markets/admin/{template}", values, using="django", status=status)


def _edits(request: HttpRequest) -> str:
    """Who it is, for the record."""
    if not request.user.has_perm(EDITS):
        raise PermissionDenied
    return str(getattr(request.user, "name", "") or request.user.email)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None  # noqa: PLR2004


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """How far the prices reach, the files that came, and a form for one more."""
    _edits(request)
    rows, older = queries.imports(_number(request, "before"))
    context = {
        "rows": rows,
        "older": older,
        "states": queries.states(clock.now()),
        "feed": standing(FEED),
        "form": UploadForm(),
        "here": "overview",
    }
    return _page(request, "overview.html", context)


class UploadForm(forms.Form):
    file = forms.FileField(label="Price file", help_text="A list of an exchange, as CSV or zip; a list of funds; JSON.")
    day = forms.DateField(
        required=False,
        label="Day",
        help_text="Only to confirm what looks odd: a name of another day, a day on which the exchange was closed.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take in a file an editor has at hand, and show what became of it."""
    by = _edits(request)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, "Choose a file, and write the day as 2026-11-20.")
        return redirect("markets_desk")
    given = form.cleaned_data["file"]
    reports = imports.take_file(
        name=given.name,
        data=given.read(LARGEST + 1),
        now=clock.now(),
        came_by="upload",
        by=by,
        day=form.cleaned_data["day"],
    )
    snapshots.refresh_stale()
    for report in reports:
        say = {"done": messages.success, "duplicate": messages.warning}.get(report.status, messages.error)
        counted = f"{report.rows_new} new, {report.rows_changed} changed, {report.rows_held} held"
        say(
            request,
            f"{report.file}: {report.status}. {report.detail or ''} {counted if report.status == 'done' else ''}",
        )
    if len(reports) == 1 and reports[0].import_id:
        return redirect("markets_import", import_id=reports[0].import_id)
    return redirect("markets_desk")


@require_GET
def one_import(request: HttpRequest, import_id: int) -> HttpResponse:
    """What became of a file, row by row where rows were held."""
    _edits(request)
    row = queries.one_import(import_id)
    if row is None:
        raise Http404
    rows, older = queries.held_rows(import_id=import_id, before=_number(request, "before"))
    context = {
        "row": row,
        "reasons": [(told(reason), count) for reason, count in row.reasons],
        "held": [(each, told(each.reason)) for each in rows],
        "older": older,
        "changes": [
            {**change, "old": f"{change['old'] / SCALE:,.2f}", "new": f"{change['new'] / SCALE:,.2f}"}
            for change in row.changes
        ],
    }
    return _page(request, "import.html", context)


@require_GET
def held(request: HttpRequest) -> HttpResponse:
    """Rows that wait for an editor."""
    _edits(request)
    rows, older = queries.held_rows(before=_number(request, "before"))
    return _page(
        request, "held.html", {"held": [(each, told(each.reason)) for each in rows], "older": older, "here": "held"}
    )


@require_POST
def decide_held(request: HttpRequest) -> HttpResponse:
    """Accept or reject the rows that are ticked; one that cannot be does not stop the others."""
    by, now = _edits(request), clock.now()
    accept = request.POST.get("do") == "accept"
    done = 0
    for text in request.POST.getlist("row")[: queries.PAGE]:
        try:
            if accept:
                desk.accept_held(held_id=int(text), by=by, now=now)
            else:
                desk.reject_held(held_id=int(text), by=by, now=now)
            done += 1
        except (RefusedError, ValueError) as error:
            messages.error(request, str(error))
    if done:
        messages.success(request, f"{done} rows {'accepted' if accept else 'rejected'}.")
    snapshots.refresh_stale()
    back = request.POST.get("import", "")
    return redirect("markets_import", import_id=int(back)) if back.isdigit() else redirect("markets_held")


class ActionForm(forms.Form):
    kind = forms.ChoiceField(choices=[kind for kind in ACTION_KINDS if kind[0] != "unknown"])
    new = forms.IntegerField(required=False, min_value=0, max_value=100_000)
    old = forms.IntegerField(required=False, min_value=0, max_value=100_000)
    amount = forms.DecimalField(required=False, min_value=0, max_digits=14, decimal_places=4)

    def values(self) -> dict[str, Any]:
        """As the actions take them."""
        given = self.cleaned_data
        return {
            "kind": given["kind"],
            "new": given["new"] or 0,
            "old": given["old"] or 0,
            "amount": int((given["amount"] or 0) * SCALE),
        }


class NewActionForm(ActionForm):
    code = forms.SlugField(max_length=60)
    ex_day = forms.DateField()
    note = forms.CharField(required=False, max_length=300)


def _check(form: forms.Form, hint: str) -> None:
    if not form.is_valid():
        raise RefusedError(hint)


@require_GET
def actions_page(request: HttpRequest) -> HttpResponse:
    """Proposed actions to be confirmed or rejected, the last that were, and a form for one that is known."""
    _edits(request)
    context = {
        "proposed": queries.actions("proposed"),
        "confirmed": queries.actions("confirmed"),
        "kinds": ActionForm.base_fields["kind"].choices,
        "today": clock.now().date().isoformat(),
        "here": "actions",
    }
    return _page(request, "actions.html", context)


@require_POST
def decide_action(request: HttpRequest, action_id: int) -> HttpResponse:
    """Confirm a proposal as the form says it, or say that there was none."""
    by, now = _edits(request), clock.now()
    try:
        if request.POST.get("do") == "reject":
            desk.reject_action(action_id=action_id, by=by, now=now)
            messages.success(request, "Rejected: prices on both sides of the day are compared as they are.")
        else:
            form = ActionForm(request.POST)
            _check(form, "Write whole numbers for the ratio, and the amount as 12.50.")
            desk.confirm_action(action_id=action_id, by=by, now=now, **form.values())
            messages.success(request, "Confirmed: prices before the day are adjusted from now on.")
    except RefusedError as error:
        messages.error(request, str(error))
    return redirect("markets_actions")


@require_POST
def add_action(request: HttpRequest) -> HttpResponse:
    """Enter an action that was announced."""
    by, now = _edits(request), clock.now()
    form = NewActionForm(request.POST)
    try:
        _check(form, "Give the instrument's code, the ex-day as 2026-11-20, and the ratio or amount.")
        given = form.cleaned_data
        desk.add_action(code=given["code"], ex_day=given["ex_day"], note=given["note"], by=by, now=now, **form.values())
        messages.success(request, "Entered and in force.")
    except RefusedError as error:
        messages.error(request, str(error))
    return redirect("markets_actions")
