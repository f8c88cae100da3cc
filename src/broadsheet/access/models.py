"""Grants say what is allowed; meter reads what a registered reader has used up; policy revisions what was decided."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from broadsheet.access.addresses import first_overlap, parse_networks


class Grant(models.Model):
    """One product, one reader, `[starts_at, ends_at)`. Written by what sold or gave it, named in `source`."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    product = models.SlugField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "product"], name="access_grant_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("starts_at")),
                name="access_grant_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["reader", "ends_at"], name="access_grant_reader")]

    def __str__(self) -> str:
        return f"{self.product} for reader {self.reader_id}"


class MeterRead(models.Model):
    """A registered reader's first read of one story in one window. The constraint makes a race count once."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    window = models.CharField(max_length=24)
    story_id = models.BigIntegerField()
    # The story's section when it was read, by its code (meter.section_code): a section's ceiling counts these.
    section = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "window", "story_id"], name="access_meter_read_once"),
        ]
        indexes = [models.Index(fields=["reader", "-at"], name="access_meter_latest")]

    def __str__(self) -> str:
        return f"reader {self.reader_id} read {self.story_id} in {self.window}"


class PolicyRevision(models.Model):
    """One decision of the publisher's about the wall, whole. Rows are only ever added; the newest holds."""

    values = models.JSONField()  # rules.policy_values, without the revision: that is the row's id
    at = models.DateTimeField()
    by = models.ForeignKey("readers.Reader", models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=254, blank=True)  # stays when the account is gone
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        permissions = [
            ("decide_policy", "Can change the access policy"),
            ("explain_decisions", "Can look up why a reader was stopped"),
        ]

    def __str__(self) -> str:
        return f"policy {self.pk}"


class Institution(models.Model):
    """A campus, an office or a library: who reads from its networks borrows one of its seats, over `[start, end)`."""

    name = models.CharField(max_length=120, unique=True)
    prefixes = models.TextField(
        "networks", help_text="One a line: 203.0.113.0/24, 2001:db8:7::/48, or a single address. Exact, no wider."
    )
    products = models.JSONField(default=list, help_text="What a seat opens.")
    seats = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="How many browsers may read at once.",
    )
    lease_minutes = models.PositiveSmallIntegerField(
        "minutes of a seat",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text="How long a browser keeps its seat before it competes for one again.",
    )
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until", null=True, blank=True, help_text="The first instant without. Empty: open.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="access_institution_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(seats__gte=1), name="access_institution_has_a_seat"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuses networks that are not exact, or that another institution has at the same time."""
        try:
            networks = parse_networks(self.prefixes)
        except ValueError as error:
            raise ValidationError({"prefixes": str(error)}) from None
        self.prefixes = "\n".join(str(network) for network in networks)
        if self.starts_at is None:
            return
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "The end lies after the start."})
        together = Institution.objects.exclude(pk=self.pk).filter(Q(ends_at=None) | Q(ends_at__gt=self.starts_at))
        if self.ends_at is not None:
            together = together.filter(starts_at__lt=self.ends_at)
        for other in together:
            shared = first_overlap(networks, parse_networks(other.prefixes))
            if shared:
                raise ValidationError({"prefixes": f"{shared[0]} overlaps {shared[1]} of {other.name}."})


class SeatLease(models.Model):
    """One browser on one seat. `holder` is a keyed digest: it says nothing about who reads."""

    institution = models.ForeignKey(Institution, models.CASCADE, related_name="+")
    holder = models.CharField(max_length=32)
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["institution", "holder"], name="access_seat_once_per_holder"),
        ]
        indexes = [models.Index(fields=["institution", "until"], name="access_seat_live")]

    def __str__(self) -> str:
        return f"seat of institution {self.institution_id} until {self.until}"


class Gift(models.Model):
    """One story that a subscriber gives away by a link, over `[created, expires)`, to so many devices.

    The link's token is not kept: `seed` and the installation's secret make it again for its giver, `token` is a digest.
    """

    giver = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    story_id = models.BigIntegerField()
    seed = models.CharField(max_length=32)
    token = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    devices = models.PositiveIntegerField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="access_gift_expires_later"),
        ]
        indexes = [
            models.Index(fields=["giver", "-created_at"], name="access_gift_latest"),
            models.Index(fields=["expires_at"], name="access_gift_expired"),
        ]

    def __str__(self) -> str:
        return f"gift {self.pk} of story {self.story_id}"


class GiftUse(models.Model):
    """A device that a gift was opened on, by a digest that is of this gift alone."""

    gift = models.ForeignKey(Gift, models.CASCADE, related_name="+")
    device = models.CharField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["gift", "device"], name="access_gift_once_per_device")]

    def __str__(self) -> str:
        return f"a device of gift {self.gift_id}"
