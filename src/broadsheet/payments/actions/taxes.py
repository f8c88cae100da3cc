"""The dated rates at which things are taxed."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Q

from broadsheet.payments.models import TaxRate

# Online news in India: 18 % since the tax exists. The e-paper, a replica of the printed paper, is taken to be the same.
GST_BEGAN = date(2017, 7, 1)
_DEFAULTS = (("news", "gst", 1800, "998431"), ("epaper", "gst", 1800, "998431"))
MOST_BP = 10_000


@transaction.atomic
def ensure_default_taxes() -> None:
    """Indian rates for a paper that has none of these names. Rates somebody set, changed or ended are left alone."""
    for code, kind, rate_bp, sac in _DEFAULTS:
        if not TaxRate.objects.filter(code=code).exists():
            TaxRate.objects.create(code=code, kind=kind, rate_bp=rate_bp, sac=sac, valid_from=GST_BEGAN)


@transaction.atomic
def set_tax_rate(*, code: str, kind: str, rate_bp: int, valid_from: date, country: str = "", sac: str = "") -> TaxRate:
    """A rate from a day on; the one that held until then ends on it. Documents that exist keep theirs.

    ValueError: no such kind, a rate that is none, or one that begins before another that was planned already.
    """
    if kind not in TaxRate.Kind.values:
        raise ValueError(f"There is no tax of the kind {kind!r}; there are {', '.join(TaxRate.Kind.values)}.")
    if not 0 <= rate_bp <= MOST_BP:
        raise ValueError(f"A rate lies between 0 and {MOST_BP} hundredths of a percent, not at {rate_bp}.")
    rows = TaxRate.objects.select_for_update().filter(code=code, country=country)
    if rows.filter(valid_from__gte=valid_from).exists():
        raise ValueError(f"A rate of {code} begins on or after {valid_from} already.")
    rows.filter(Q(valid_to=None) | Q(valid_to__gt=valid_from)).update(valid_to=valid_from)
    return TaxRate.objects.create(
        code=code, kind=kind, rate_bp=rate_bp, country=country, sac=sac, valid_from=valid_from
    )
