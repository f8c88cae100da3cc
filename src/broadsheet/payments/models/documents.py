"""What is owed: invoices, the notes that take some of it back, who is billed, and at which tax."""

from __future__ import annotations

from django.db import models

from broadsheet.payments.models.append_only import AppendOnly


class BillingProfile(models.Model):
    """Whom a reader's invoices name. The State decides between CGST with SGST and IGST; a GSTIN makes it a firm's."""

    reader = models.OneToOneField("readers.Reader", models.PROTECT, primary_key=True, related_name="+")
    name = models.CharField(max_length=120, blank=True)
    organisation = models.CharField(max_length=160, blank=True)
    address = models.CharField(max_length=300, blank=True)
    country = models.CharField(max_length=2, default="IN")
    state = models.CharField(max_length=60, blank=True)
    pin = models.CharField(max_length=12, blank=True)
    gstin = models.CharField(max_length=15, blank=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.organisation or self.name or f"reader {self.pk}"


class TaxRate(models.Model):
    """A tax over a stretch of days. `rate_bp` is in hundredths of a percent: 1800 is 18 %.

    `country` is the buyer's, empty for every country without a row of its own. `valid_to` is exclusive.
    """

    class Kind(models.TextChoices):
        GST = "gst"
        VAT = "vat"
        SIMPLE = "simple"

    code = models.SlugField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind)
    rate_bp = models.PositiveIntegerField()
    country = models.CharField(max_length=2, blank=True)
    sac = models.CharField("SAC", max_length=8, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code", "country", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "country", "valid_from"], name="payments_tax_rate_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="payments_tax_rate_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.rate_bp / 100:g} %"


class Invoice(models.Model):
    """A bill for what was sold (`subject`, such as `subscription:12`).

    `key` names what it is for, so that it is made once. `context` belongs to whoever sold: what being paid will mean.
    Amounts, lines, tax and buyer never change once the number is given; the period is final once it is paid.
    `paid_minor` is what was collected for it less what went back without a credit note; `credit_minor` is the part met
    from the reader's credit.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"
        UNCOLLECTIBLE = "uncollectible"

    class Kind(models.TextChoices):
        PERIOD = "period"
        CHANGE = "change"
        SEATS = "seats"
        GIFT = "gift"
        OTHER = "other"

    number = models.CharField(max_length=16, unique=True)
    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERIOD)
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    subject = models.CharField(max_length=40)
    period_index = models.PositiveIntegerField(null=True, blank=True)
    period_start = models.DateField()
    period_end = models.DateField()
    currency = models.CharField(max_length=3)
    # total = taxable + tax, for tax inside the price and tax on top of it alike.
    taxable_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.PositiveBigIntegerField()
    tax = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    # Who we were that day: name, address, state, gstin.
    supplier = models.JSONField(default=dict)
    context = models.JSONField(default=dict)
    credit_minor = models.PositiveBigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    noted_minor = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=14, choices=Status, default=Status.OPEN)
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "period_index"],
                condition=~models.Q(status="void"),
                name="payments_invoice_once_per_period",
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="payments_invoice_period_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(total_minor=models.F("taxable_minor") + models.F("tax_minor")),
                name="payments_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(credit_minor__lte=models.F("total_minor")), name="payments_invoice_credit_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(noted_minor__lte=models.F("total_minor")), name="payments_invoice_notes_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(status="paid", paid_at__isnull=False) | ~models.Q(status="paid"),
                name="payments_invoice_paid_has_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["reader", "-id"], name="payments_invoice_reader"),
            models.Index(fields=["subject", "id"], name="payments_invoice_subject"),
            models.Index(fields=["issued_on", "id"], name="payments_invoice_day"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def due_minor(self) -> int:
        """What is still owed on it; nothing on a void or an uncollectible one."""
        if self.status in (self.Status.VOID, self.Status.UNCOLLECTIBLE):
            return 0
        return self.total_minor - self.credit_minor - self.paid_minor - self.noted_minor


class InvoiceLine(models.Model):
    """One line of an invoice; the amounts are before tax on top, and with tax inside the price.

    The days `[service_start, service_end)` are those over which it is earned; without them it is earned at once.
    """

    class Kind(models.TextChoices):
        PLAN = "plan"
        SEATS = "seats"
        DISCOUNT = "discount"
        UNUSED = "unused"
        CARRIED = "carried"
        OTHER = "other"

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PLAN)
    text = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField(default=1)
    amount_minor = models.BigIntegerField()
    service_start = models.DateField(null=True, blank=True)
    service_end = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="payments_line_position"),
        ]

    def __str__(self) -> str:
        return self.text


class CreditNote(AppendOnly):
    """What takes an amount of a finalised invoice back, with its share of the tax. Never changed."""

    number = models.CharField(max_length=16, unique=True)
    key = models.CharField(max_length=80, unique=True)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="notes")
    currency = models.CharField(max_length=3)
    taxable_minor = models.PositiveBigIntegerField()
    tax_minor = models.PositiveBigIntegerField(default=0)
    total_minor = models.PositiveBigIntegerField()
    tax = models.JSONField(default=dict)
    reason = models.CharField(max_length=200)
    issued_on = models.DateField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(total_minor=models.F("taxable_minor") + models.F("tax_minor")),
                name="payments_note_adds_up",
            ),
            models.CheckConstraint(condition=models.Q(total_minor__gt=0), name="payments_note_positive"),
        ]
        indexes = [models.Index(fields=["issued_on", "id"], name="payments_note_day")]

    def __str__(self) -> str:
        return self.number


class DocumentSeries(models.Model):
    """The last number given in one series of documents (`BS/26-27`). Taken inside the document's transaction: a number
    is never lost."""

    name = models.CharField(max_length=16, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.last}"
