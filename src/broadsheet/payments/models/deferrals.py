"""What was billed for days to come, and how much of it has been earned."""

from __future__ import annotations

from django.db import models

from broadsheet.payments.models.documents import Invoice, InvoiceLine


class Deferral(models.Model):
    """One invoice line's part of deferred revenue: `amount_minor` (net of tax, signed) earned over `[start, end)`.

    Notes and write-offs lower the amount, a service that ends early moves `end`. `earned_minor` is what the journal has
    as earned of it. `due_on` is the first day of a month on which there is more to earn; None when nothing is left.
    """

    line = models.OneToOneField(InvoiceLine, models.PROTECT, primary_key=True, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="deferrals")
    currency = models.CharField(max_length=3)
    start = models.DateField()
    end = models.DateField()
    amount_minor = models.BigIntegerField()
    earned_minor = models.BigIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(end__gte=models.F("start")), name="payments_deferral_forward"),
            models.CheckConstraint(
                condition=models.Q(due_on__isnull=False) | models.Q(amount_minor=models.F("earned_minor")),
                name="payments_deferral_done_is_earned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on", "line"], condition=models.Q(due_on__isnull=False), name="payments_deferral_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.earned_minor} of {self.amount_minor} earned"
