"""Tables of advertising: campaigns, what they show, and how often that was seen and clicked on a day."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.deconstruct import deconstructible
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import Orderable

from broadsheet.ads import pictures, rules

KINDS = (("direct", "Sold to an advertiser"), ("house", "The paper's own"))
STATES = (("draft", "Draft"), ("approved", "Approved"), ("stopped", "Stopped"))


@deconstructible
class AmongThese:
    """A list of known words, each once."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def __call__(self, value: object) -> None:
        if not isinstance(value, list) or len(set(value)) != len(value) or not set(value) <= set(self.words):
            raise ValidationError("Choose from the list.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AmongThese) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)


class Campaign(ClusterableModel):
    """An advertiser's order, or the paper's own: what it shows, where, and over `[starts_at, ends_at)`."""

    name = models.CharField(max_length=120, help_text="For the desk; readers do not see it.")
    advertiser = models.CharField(max_length=120, help_text="Who pays for it, as readers see it beside a text.")
    kind = models.CharField(max_length=8, choices=KINDS, default="direct")
    state = models.CharField(max_length=8, choices=STATES, default="draft", help_text="Only what is approved runs.")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until", null=True, blank=True, help_text="Empty: until it is stopped.")
    weight = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="Twice the weight is shown twice as often as another campaign of its kind. What is sold comes first.",
    )
    frequency_cap = models.PositiveSmallIntegerField(
        "at most so often",
        default=0,
        help_text="Times in one visit, counted in the reader's browser and told to nobody; 0 is without a limit.",
    )
    slots = models.JSONField(default=list, blank=True, validators=[AmongThese(rules.SLOT_NAMES)])
    devices = models.JSONField(
        default=list, blank=True, validators=[AmongThese(rules.DEVICES)], help_text="None chosen: on all."
    )
    sections = models.JSONField(default=list, blank=True, help_text="None chosen: in all.")

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gt=models.F("starts_at")), name="ads_campaign_span"
            ),
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="ads_campaign_weight"),
        ]
        indexes = [models.Index(fields=["state", "ends_at"], name="ads_campaign_live")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.ends_at is not None and self.starts_at is not None and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "A campaign ends after it begins."})


class Creative(Orderable):
    """One advertisement: a picture of a slot's size, or words that the paper sets itself and that fit every slot."""

    campaign = ParentalKey(Campaign, on_delete=models.CASCADE, related_name="creatives")
    picture = models.FileField(
        upload_to=pictures.place, blank=True, validators=[pictures.check], help_text="Empty: the words below are set."
    )
    width = models.PositiveSmallIntegerField(default=0, editable=False)
    height = models.PositiveSmallIntegerField(default=0, editable=False)
    alt = models.CharField(
        "in words", max_length=200, blank=True, help_text="What the picture says, for who cannot see it."
    )
    headline = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=140, blank=True)
    action = models.CharField(max_length=30, blank=True, help_text="The words to click on, such as: See the plans.")
    url = models.CharField("leads to", max_length=500, help_text="https://…; for the paper's own also /subscribe/.")
    printed = models.BooleanField(
        "printed into pages",
        default=False,
        help_text="Stands in its slots when nothing else does, without JavaScript too. The paper is printed anew.",
    )

    def __str__(self) -> str:
        return self.headline or self.alt or f"Advertisement {self.pk}"

    def clean(self) -> None:
        super().clean()
        if not self.picture and not self.headline:
            raise ValidationError({"headline": "Upload a picture or write a headline."})
        if self.picture and not self.alt:
            raise ValidationError({"alt": "Say what the picture says: some readers hear it."})
        if self.picture and self.printed:
            raise ValidationError({"printed": "Only words are printed into pages: they fit every screen."})
        if self.picture:
            self.width, self.height = pictures.measure(self.picture)
        else:
            self.width = self.height = 0


class DayCount(models.Model):
    """How often an advertisement was seen in a slot, and clicked on, on a day of the publisher's. Nobody's name."""

    creative = models.ForeignKey(Creative, models.CASCADE, related_name="+")
    day = models.DateField()
    slot = models.CharField(max_length=12)
    seen = models.PositiveBigIntegerField(default=0, help_text="Estimated from the sample that reports.")
    clicks = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "creative", "slot"]
        constraints = [models.UniqueConstraint(fields=["creative", "day", "slot"], name="ads_daycount_once")]
        indexes = [models.Index(fields=["-day"], name="ads_daycount_day")]

    def __str__(self) -> str:
        return f"{self.creative_id} on {self.day} in {self.slot}"
