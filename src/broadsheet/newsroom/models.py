"""Article is a plain model with Wagtail's draft, revision, workflow, lock and preview mixins, not a Page.

A page tree holds at most 1.68 M children and costs a tree query per request; an archive since 1997 may hold 5 M
stories. See docs/adr/0003. Sortable columns are indexed; the stories are not in Wagtail's own search index, which
would slow every save in proportion to the archive.
"""

from __future__ import annotations

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.db import models
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
)
from wagtail.fields import RichTextField
from wagtail.models import DraftStateMixin, LockableMixin, Orderable, PreviewableMixin, RevisionMixin, WorkflowMixin

from broadsheet.newsroom import ports, rules
from broadsheet.newsroom.inputs import CodesInput
from broadsheet.newsroom.rules import TIERS

BODY_FEATURES = ["h2", "h3", "bold", "italic", "link", "ol", "ul", "blockquote", "hr"]


class Section(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(default=100)
    language = models.CharField(max_length=12, default="en")
    ads = models.BooleanField("advertising", default=True, help_text="Off: no page of this section carries any.")

    panels = [
        FieldPanel("name"), FieldPanel("slug"), FieldPanel("position"), FieldPanel("language"), FieldPanel("ads"),
    ]  # fmt: skip

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Byline(models.Model):
    """A person whose name stands over stories; not an account."""

    name = models.CharField(max_length=120, unique=True)
    role = models.CharField(max_length=120, blank=True)

    panels = [FieldPanel("name"), FieldPanel("role")]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Article(
    PreviewableMixin, WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, ClusterableModel, models.Model
):
    headline = models.CharField(max_length=200)
    standfirst = models.TextField(blank=True, help_text="One or two sentences under the headline. Everyone sees them.")
    kicker = models.CharField(max_length=60, blank=True, help_text="The word or two above the headline.")
    slug = models.SlugField(max_length=90, blank=True, help_text="Decoration of the address; the id is what counts.")
    body = RichTextField(blank=True, features=BODY_FEATURES)
    lead_in_blocks = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        verbose_name="open paragraphs",
        help_text="How many opening paragraphs everyone may read. Empty: the first two, cut at 120 words.",
    )
    section = models.ForeignKey(Section, models.PROTECT, related_name="+")
    tier = models.CharField(max_length=12, choices=TIERS, default="metered")
    priority = models.PositiveSmallIntegerField(default=5, help_text="1 leads the front, 9 stands at its foot.")
    language = models.CharField(max_length=12, default="en")
    dateline = models.CharField(max_length=120, blank=True)
    picture = models.ForeignKey("wagtailimages.Image", models.SET_NULL, null=True, blank=True, related_name="+")
    picture_alt = models.CharField(max_length=250, blank=True)
    picture_caption = models.CharField(max_length=400, blank=True)
    picture_credit = models.CharField(max_length=120, blank=True)

    # Provenance: rendered from these fields, never part of the text.
    credit = models.CharField(max_length=60, blank=True, help_text="The agency the copy came from.")
    via = models.JSONField(default=list, blank=True, help_text="Media the agency itself quotes.")
    auto_published = models.BooleanField(default=False, help_text="Published from a feed without an editor's hand.")
    correction = models.TextField(blank=True, help_text="Shown with the story: what was wrong and what is right.")
    source_url = models.URLField(max_length=500, blank=True)
    emergency_free = models.BooleanField(default=False, help_text="Open to everyone, whatever the tier.")
    no_ads = models.BooleanField(
        "without advertising", default=False, help_text="For news beside which nothing should be sold."
    )

    instruments = models.JSONField(
        default=list,
        blank=True,
        help_text="Instruments the story is about, with commas between: nse-tidewater, NSE:SILVERPINE. Their price and "
        "chart stand in it. Everyone sees them.",
    )

    # Set by actions alone.
    published_at = models.DateTimeField(null=True, blank=True, help_text="First published; fixed across updates.")
    updated_at = models.DateTimeField(null=True, blank=True)
    lead_in = models.TextField(blank=True, editable=False)
    print_version = models.PositiveIntegerField(default=0, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_reason = models.CharField(max_length=200, blank=True, editable=False)
    hand_edited = models.BooleanField(default=False, editable=False)

    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )
    _revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    FieldPanel("kicker"),
                    FieldPanel("headline"),
                    FieldPanel("standfirst"),
                    FieldPanel("body"),
                    FieldPanel("lead_in_blocks"),
                    MultiFieldPanel(
                        [
                            FieldPanel("picture"),
                            FieldPanel("picture_alt"),
                            FieldPanel("picture_caption"),
                            FieldPanel("picture_credit"),
                        ],
                        heading="Picture",
                    ),
                ],
                heading="Story",
            ),
            ObjectList(
                [
                    FieldRowPanel([FieldPanel("section"), FieldPanel("tier")]),
                    FieldRowPanel([FieldPanel("priority"), FieldPanel("language")]),
                    InlinePanel("byline_rows", label="Byline"),
                    FieldPanel("dateline"),
                    FieldPanel("emergency_free"),
                    FieldPanel("no_ads"),
                    FieldPanel("instruments", widget=CodesInput),
                    FieldPanel("slug"),
                ],
                heading="Placing",
            ),
            ObjectList(
                [
                    FieldPanel("credit"),
                    FieldPanel("auto_published"),
                    FieldPanel("correction"),
                    FieldPanel("source_url"),
                ],
                heading="Source",
            ),
            ObjectList([PublishingPanel()], heading="Schedule"),
        ]
    )

    class Meta:
        indexes = [
            models.Index(fields=["-published_at", "-id"], condition=models.Q(live=True), name="newsroom_art_latest"),
            models.Index(
                fields=["section", "-published_at", "-id"], condition=models.Q(live=True), name="newsroom_art_section"
            ),
            models.Index(fields=["-updated_at"], name="newsroom_art_updated"),
            models.Index(fields=["-latest_revision"], name="newsroom_art_touched"),
        ]

    def __str__(self) -> str:
        return self.headline

    @property
    def revisions(self):
        return self._revisions

    @property
    def path(self) -> str:
        return f"/{self.section.slug}/{self.slug or 'story'}-{self.pk}"

    def get_absolute_url(self) -> str:
        return self.path

    def clean(self) -> None:
        """Template braces in a story would look like our own fault in print; the editor hears of it here."""
        super().clean()
        for name in ("headline", "standfirst", "kicker", "body", "picture_caption", "correction"):
            found = rules.placeholder(getattr(self, name))
            if found:
                raise ValidationError({name: f"This holds a template's placeholder ({found}). Write it out."})
        self._clean_instruments()

    def _clean_instruments(self) -> None:
        """A tag that names nothing would show nothing, and nobody would notice."""
        try:
            asked = rules.instrument_names(self.instruments)
        except ValueError as error:
            raise ValidationError({"instruments": str(error)}) from None
        codes = ports.instruments(asked)
        unknown = [name for name in asked if name not in codes]
        if unknown:
            raise ValidationError({"instruments": f"There is no instrument {', '.join(unknown)}."})
        self.instruments = list(dict.fromkeys(codes[name] for name in asked))

    def get_preview_template(self, request, mode_name):  # noqa: ARG002 - Wagtail's form
        return "press/story.html"

    def serve_preview(self, request, mode_name):  # noqa: ARG002 - Wagtail's form
        return ports.preview(self)


class ArticleByline(Orderable):
    """A name over a story, in its place: who is named first is not a matter of the alphabet."""

    article = ParentalKey(Article, on_delete=models.CASCADE, related_name="byline_rows")
    byline = models.ForeignKey(Byline, models.PROTECT, related_name="+")

    panels = [FieldPanel("byline")]

    class Meta(Orderable.Meta):
        constraints = [models.UniqueConstraint(fields=["article", "byline"], name="newsroom_byline_once")]

    def __str__(self) -> str:
        return str(self.byline)

    @property
    def name(self) -> str:
        return self.byline.name
