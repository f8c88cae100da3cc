"""Tables of partners: who they are, what they offer, the codes in stock, what was claimed, and who comes from them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from broadsheet.partners import rules


def refuse_unrendered(text: str) -> None:
    if any(brace in text for brace in ("{{", "{%", "${")):
        raise ValidationError("This text still holds a placeholder.", code="unrendered")


def refuse_insecure(url: str) -> None:
    if not rules.may_be_called(url):
        raise ValidationError("Write an address that begins with https://.", code="insecure")


class Partner(models.Model):
    """Another title. `key` is 32 random bytes of its own, sealed: codes are sealed, digested and readers' pseudonyms
    made with it, so that a rotation of the installation's secret re-seals one row and no code. `secret` is what the two
    papers know each other by, sealed too."""

    code = models.SlugField(max_length=40, unique=True, help_text="Part of addresses and files; it stays as it is.")
    name = models.CharField(max_length=80, validators=[refuse_unrendered])
    words = models.TextField("in a sentence or two", blank=True, validators=[refuse_unrendered])
    site = models.URLField("their site", blank=True)
    active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    client_id = models.CharField(
        "client of sign-in", max_length=120, blank=True, help_text="Whose entitlements they may ask for, by OpenID."
    )
    report_url = models.URLField(
        "where ends are reported",
        blank=True,
        validators=[refuse_insecure],
        help_text="A signed message for each claim that ends. Empty: they are in the file of revocations.",
    )
    key = models.TextField(editable=False)
    secret = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["client_id"], condition=~Q(client_id=""), name="partners_client_once")
        ]

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """What our subscribers may claim of a partner, and on which terms. `parts` are its products, a line each."""

    class Kind(models.TextChoices):
        CODES = "codes", "Codes from a pool"
        LINK = "link", "Signed link"
        TOKEN = "token", "Sign-in with this paper (OpenID)"

    class Per(models.TextChoices):
        READER = "reader", "Reader"
        HOUSEHOLD = "household", "Household: whoever pays, with their seats"

    class Again(models.TextChoices):
        NEVER = "never", "Never"
        SAME = "same", "Gets the same back"
        NEW = "new", "Claims anew"

    class Signature(models.TextChoices):
        SECRET = "HS256", "The secret we share"
        OURS = "EdDSA", "Our key, published at /partners/keys.json"

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="offers")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80, validators=[refuse_unrendered])
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.CODES)
    words = models.TextField("in a sentence or two", blank=True, validators=[refuse_unrendered])
    parts = models.TextField(
        "its products", blank=True, validators=[refuse_unrendered], help_text="A line each: name, a bar, what it is."
    )
    instructions = models.TextField("what to do with it", blank=True, validators=[refuse_unrendered])
    url = models.URLField(
        "where it is used",
        validators=[refuse_insecure],
        help_text="A signed link adds ?token=…; for codes it is where the reader types theirs in.",
    )
    signature = models.CharField(max_length=8, choices=Signature, default=Signature.SECRET)
    active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    # Terms.
    plans = models.JSONField(default=list, blank=True, help_text="Codes of plans. None: all that include partners.")
    from_day = models.PositiveSmallIntegerField(
        "from this day of the subscription",
        default=1,
        validators=[MinValueValidator(1)],
        help_text="1: at once. 15: after a fortnight.",
    )
    within_days = models.PositiveSmallIntegerField(
        "to be claimed within days", default=0, help_text="Counted from that day. 0: at any time."
    )
    lasts_days = models.PositiveSmallIntegerField(
        "lasts days", default=0, validators=[MaxValueValidator(3660)], help_text="0: as long as the subscription."
    )
    per = models.CharField("one a", max_length=10, choices=Per, default=Per.READER)
    again = models.CharField("after it ended", max_length=6, choices=Again, default=Again.SAME)
    most = models.PositiveSmallIntegerField("at most claims", default=1, validators=[MinValueValidator(1)])
    grace_days = models.PositiveSmallIntegerField("days after the subscription", default=0)
    opens_at = models.DateTimeField("claims from", null=True, blank=True)
    closes_at = models.DateTimeField("claims until", null=True, blank=True)
    low_stock = models.PositiveIntegerField("alarm below codes", default=50)
    alarmed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "code"], name="partners_offer_once"),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="partners_offer_window",
            ),
            models.CheckConstraint(condition=Q(from_day__gte=1) & Q(most__gte=1), name="partners_offer_terms"),
        ]

    def __str__(self) -> str:
        return f"{self.partner.name}: {self.name}"


class Batch(models.Model):
    """One uploaded file of codes and what came of it. `problems` lists the first lines that gave none, with reasons."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    at = models.DateTimeField()
    by = models.CharField(max_length=254, blank=True)
    counts = models.JSONField(default=dict)
    problems = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class Claim(models.Model):
    """One reader's claim. `holder` is what the offer is given to once: `reader:7`, or `payer:5` for a household.

    `payer` is who pays for the subscription it hangs on, `agreement` the name of that right. `number` counts a holder's
    claims; the constraints make two claims at once into one. `check_at` is when somebody has to look whether the right
    still holds; None once it ended. `subject` is all the partner knows of the reader.
    """

    class Report(models.TextChoices):
        NONE = "", "Nothing to report"
        DUE = "due", "To be reported"
        DONE = "done", "Reported"

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="+")
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    payer = models.BigIntegerField()
    agreement = models.CharField(max_length=80)
    holder = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()
    subject = models.CharField(max_length=40, unique=True)
    claimed_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    losing_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, blank=True)
    report = models.CharField(max_length=4, choices=Report, default=Report.NONE, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offer", "holder", "number"], name="partners_claim_once"),
            models.UniqueConstraint(
                fields=["offer", "holder"], condition=Q(ended_at=None), name="partners_one_running_claim"
            ),
        ]
        indexes = [
            models.Index(fields=["check_at", "id"], condition=Q(check_at__isnull=False), name="partners_claim_check"),
            models.Index(fields=["payer"], condition=Q(ended_at=None), name="partners_claim_payer"),
            models.Index(fields=["agreement"], condition=Q(ended_at=None), name="partners_claim_right"),
            models.Index(fields=["reader", "-id"], name="partners_claim_reader"),
            models.Index(fields=["offer", "id"], condition=Q(report="due"), name="partners_claim_report"),
            models.Index(fields=["offer", "claimed_at"], name="partners_claim_month"),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}"


class Code(models.Model):
    """One code of a pool: sealed, and known by a keyed digest. It belongs to at most one claim, for ever."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="+")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=32)
    sealed = models.TextField()
    expires_on = models.DateField(default=rules.NEVER)  # the last day on which it can be redeemed
    claim = models.OneToOneField(Claim, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "digest"], name="partners_code_once")]
        indexes = [
            models.Index(fields=["offer", "expires_on", "id"], condition=Q(claim=None), name="partners_code_free")
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"


class Welcome(models.Model):
    """The other direction: what a partner's subscribers get here, and for how long."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80, validators=[refuse_unrendered])
    products = models.JSONField(default=list)
    lasts_days = models.PositiveSmallIntegerField(
        "lasts days", default=30, validators=[MinValueValidator(1), MaxValueValidator(3660)]
    )
    by_link = models.BooleanField("by signed links of theirs", default=False)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "code"], name="partners_welcome_once")]

    def __str__(self) -> str:
        return f"{self.partner.name}: {self.name}"


class Voucher(models.Model):
    """A code we made for a partner's subscriber; only its digest is kept."""

    welcome = models.ForeignKey(Welcome, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    expires_on = models.DateField(default=rules.NEVER)
    void_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"voucher {self.pk}"


class Redemption(models.Model):
    """A partner's subscriber who reads here. `subject` is the partner's name for them, or the voucher's digest."""

    welcome = models.ForeignKey(Welcome, models.PROTECT, related_name="+")
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    subject = models.CharField(max_length=120)
    at = models.DateTimeField()
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["welcome", "subject"], name="partners_redeemed_once")]
        indexes = [models.Index(fields=["reader", "-id"], name="partners_redemption_reader")]

    def __str__(self) -> str:
        return f"redemption {self.pk}"


class UsedToken(models.Model):
    """A partner's signed link opens once. Forgotten when it would no longer open anyway."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    token = models.CharField(max_length=32)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "token"], name="partners_token_once")]
        indexes = [models.Index(fields=["until"], name="partners_token_until")]

    def __str__(self) -> str:
        return self.token
