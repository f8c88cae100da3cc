"""The publisher's screens: try a policy on the last days, switch it on, go back; open the whole paper in an emergency.

None needs a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from broadsheet import clock
from broadsheet.access import actions, dry_run
from broadsheet.access.queries import current_policy, emergency_since, policy_at, policy_history
from broadsheet.access.rules import Policy, policy_values
from broadsheet.access.values import PolicyError, checked_policy
from broadsheet.desk.policy import PolicyForm, changes, figures, told

PERMISSION: Final = "access.decide_policy"
_SALT: Final = "broadsheet.desk.policy"
_TRIED_FOR: Final = timedelta(hours=2)
_WAIT: Final = 2.5  # seconds for which a dry run may finish before its progress is shown instead


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    return TemplateResponse(request, f"desk/admin/{template}", context, using="django", status=status)


def _decides(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def records() -> Path:
    return Path(settings.BROADSHEET.data) / "decisions"


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried: the policy, against which revision, why, and under which name its dry run is kept."""

    policy: Policy
    onto: int
    note: str
    trial: str


def _try(request: HttpRequest, policy: Policy, running: Policy, note: str) -> HttpResponse:
    """Start the dry run and go to its page. The page's address holds what was tried, signed for this publisher."""
    now = clock.now()
    since = now - timedelta(days=settings.BROADSHEET.decision_days)
    trial = dry_run.begin(records(), running, policy, since, now)
    given = {"values": policy_values(policy), "onto": running.revision, "note": note, "trial": trial}
    return redirect("policy_trial", token=signing.dumps({**given, "by": request.user.pk}, salt=_SALT, compress=True))


def _tried(request: HttpRequest, token: str) -> Tried:
    """What `_try` signed; Http404 when it was not us, not for this publisher, or too long ago."""
    try:
        given: Mapping[str, Any] = signing.loads(token, salt=_SALT, max_age=_TRIED_FOR)
    except signing.BadSignature:
        raise Http404 from None
    if given["by"] != request.user.pk:
        raise Http404
    return Tried(checked_policy(current_policy(), given["values"]), given["onto"], given["note"], given["trial"])


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """What holds, the form to try another policy, and every decision so far. A POST tries."""
    _decides(request)
    running = current_policy()
    form = PolicyForm(running, request.POST) if request.method == "POST" else PolicyForm(running)
    if request.method == "POST" and form.is_valid():
        if form.policy == running:
            messages.warning(request, "That is the policy that holds already.")
            return redirect("policy")
        return _try(request, form.policy, running, form.cleaned_data["note"])
    rows = policy_history()
    before = [*(row.policy for row in rows[1:]), policy_at(0)]
    return _page(
        request,
        "policy.html",
        {
            "form": form,
            "running": running,
            "told": told(running),
            "history": [(row, changes(old, row.policy)) for row, old in zip(rows, before, strict=False)],
            "days": settings.BROADSHEET.decision_days,
        },
        status=200 if not form.errors else 422,
    )


@require_POST
def policy_back(request: HttpRequest, revision: int) -> HttpResponse:
    """Try an earlier revision again (0: what the options say). The emergency has its own switch and stays as it is."""
    _decides(request)
    earlier, running = policy_at(revision), current_policy()
    if earlier is None:
        raise Http404
    wanted = checked_policy(
        running, {**policy_values(earlier), "emergency": running.emergency, "zone": running.zone.key}
    )
    if wanted == running:
        messages.warning(request, "That is the policy that holds already.")
        return redirect("policy")
    return _try(request, wanted, running, f"Back to revision {revision}" if revision else "Back to the options")


@require_GET
def policy_trial(request: HttpRequest, token: str) -> HttpResponse:
    """The dry run's figures, or how far it is; then the page asks again by itself, without a script."""
    _decides(request)
    tried = _tried(request, token)
    trial = dry_run.wait(records(), tried.trial, _WAIT)
    if trial is None:
        raise Http404
    running = current_policy()
    return _page(
        request,
        "policy_trial.html",
        {
            "token": token,
            "trial": trial,
            "changes": changes(running, tried.policy),
            "note": tried.note,
            "stale": tried.onto != running.revision,
            "figures": figures(trial.report) if trial.report else None,
            "days": settings.BROADSHEET.decision_days,
        },
    )


@require_POST
def policy_switch(request: HttpRequest) -> HttpResponse:
    """Switch on exactly what was tried. Refused when its dry run has not ended or another policy holds by now."""
    _decides(request)
    token = request.POST.get("token", "")
    tried = _tried(request, token)
    trial = dry_run.look(records(), tried.trial)
    if trial is None or trial.state == "running":
        messages.error(request, "Not switched on: its dry run has not ended yet.")
        return redirect("policy_trial", token=token)
    try:
        actions.switch_policy(
            values=policy_values(tried.policy),
            by=request.user.pk,
            now=clock.now(),
            note=tried.note,
            onto=tried.onto,
        )
    except actions.PolicyChangedError:
        messages.error(request, "Not switched on: another policy holds since this one was tried. Try it again.")
    except PolicyError as refused:
        messages.error(request, f"Not switched on: {refused}.")
    else:
        messages.success(request, "Switched on. Readers and walls follow within seconds.")
    return redirect("policy")


@require_http_methods(["GET", "HEAD", "POST"])
def policy_emergency(request: HttpRequest) -> HttpResponse:
    """Open the whole paper, or close it again. Asks once more; holds for every story until it is switched off."""
    _decides(request)
    running = current_policy()
    if request.method == "POST":
        wanted = request.POST.get("emergency") == "on"
        if request.POST.get("sure") != "yes":
            messages.error(request, "Nothing has changed: tick the box to confirm.")
            return redirect("policy_emergency")
        if wanted != running.emergency:
            actions.switch_policy(
                values={"emergency": wanted}, by=request.user.pk, now=clock.now(), note=request.POST.get("note", "")
            )
        messages.success(
            request, "Every story is open." if wanted else "The emergency is over: the policy holds again."
        )
        return redirect("policy")
    return _page(
        request,
        "policy_emergency.html",
        {"running": running, "since": emergency_since() if running.emergency else None},
    )
