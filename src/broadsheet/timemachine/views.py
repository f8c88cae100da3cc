"""The screen: a scenario is pasted or picked, walked in a process of its own, and told as tables.

None of it needs a script.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods

from broadsheet import clock
from broadsheet.timemachine import examples, runs
from broadsheet.timemachine.reading import ScenarioError
from broadsheet.timemachine.scenario import Scenario
from broadsheet.timemachine.steps import parse
from broadsheet.timemachine.telling import Told, told

PERMISSION: Final = "subscriptions.change_plan"
_WAIT: Final = 4.0  # seconds for which a walk may finish before its progress is shown instead


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    # The admin's templates are Django's; the first engine in the settings is the reader pages' own.
    return TemplateResponse(request, f"timemachine/admin/{template}", context, using="django", status=status)


def _may_see(request: HttpRequest) -> None:
    """Whoever may change a plan's price may try one."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def folder() -> Path:
    return Path(settings.BROADSHEET.data) / "simulations"


@require_http_methods(["GET", "HEAD", "POST"])
def time_machine(request: HttpRequest) -> HttpResponse:
    """The form; with POST a walk begins, or the form comes back with what is wrong and where."""
    _may_see(request)
    if request.method == "POST":
        return _start(request, request.POST.get("scenario", "").replace("\r\n", "\n"))
    picked = request.GET.get("from", "")
    text = examples.text_of(picked, clock.now()) if picked else examples.text_of(examples.NAMES[0], clock.now())
    if earlier := runs.run_of(folder(), request.GET.get("again", ""), clock.now()):
        text = runs.text_of(folder(), earlier.id)
    if text is None:
        raise Http404
    return _form(request, text, picked=picked)


def _form(request: HttpRequest, text: str, *, picked: str = "", wrong: Any = None, status: int = 200) -> HttpResponse:
    context = {
        "text": text,
        "picked": picked,
        "examples": examples.listed(),
        "wrong": wrong,
        "runs": runs.newest(folder(), clock.now()),
    }
    return _page(request, "form.html", context, status)


def _start(request: HttpRequest, text: str) -> HttpResponse:
    if len(text) > runs.MOST_TEXT:
        return _form(request, text[: runs.MOST_TEXT], wrong={"text": "This is too long for a scenario."}, status=422)
    try:
        scenario = parse(text)
    except ScenarioError as error:
        lines = text.splitlines()
        quoted = lines[error.line - 1] if error.line <= len(lines) else ""
        wrong = {"line": error.line, "text": error.text, "hint": error.hint, "quoted": quoted}
        return _form(request, text, wrong=wrong, status=422)
    by = request.user.get_full_name() or str(request.user)
    try:
        run_id = runs.start(folder(), text, name=scenario.name or "without a name", by=by, now=clock.now())
    except runs.BusyError:
        return _form(request, text, wrong={"text": "Other walks are under way: try again in a minute."}, status=503)
    ends = time.monotonic() + _WAIT
    while time.monotonic() < ends:
        run = runs.run_of(folder(), run_id, clock.now())
        if run is None or run.over:
            break
        time.sleep(0.05)
    return redirect("time_machine_run", run_id=run_id)


def _scenario(text: str) -> Scenario | None:
    try:
        return parse(text)
    except ScenarioError:
        return None  # walked by an earlier version, which read it otherwise


@require_GET
def time_machine_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """What came of a walk, or that it is under way."""
    _may_see(request)
    run = runs.run_of(folder(), run_id, clock.now())
    if run is None:
        raise Http404
    text = runs.text_of(folder(), run_id)
    seen: Told = told(runs.rows_of(folder(), run_id) if run.over else [], _scenario(text))
    complaint = re.sub(r"^scenario\.yaml:(\d+): ", r"Line \1: ", runs.complaint_of(folder(), run_id))
    context = {"run": run, "told": seen, "text": text, "complaint": complaint if run.state == "refused" else ""}
    return _page(request, "run.html", context)
