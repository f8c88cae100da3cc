"""Tables of newsletters. An address is on a list by a sign-up; an issue reaches it by exactly one delivery."""

from __future__ import annotations

from django.db import models

AUDIENCES = [("everyone", "Everyone"), ("subscribers", "Subscribers")]
MAKERS = [("editors", "Editors choose"), ("rule", "By rule and schedule")]


class List(models.Model):
    """A newsletter that readers sign up for. Its rule is used when it is made by rule; editors may always write one."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=40, unique=True)
    words = models.CharField(max_length=240, blank=True, help_text="What it is and when it comes; readers see it.")
    audience = models.CharField(max_length=12, choices=AUDIENCES, default="everyone")
    language = models.CharField(max_length=12, default="en")
    from_name = models.CharField(max_length=80, blank=True, help_text="Empty: the paper's name and the list's.")
    position = models.PositiveSmallIntegerField(default=100)
    live = models.BooleanField(default=True, help_text="Readers can sign up for it.")
    made_by = models.CharField(max_length=8, choices=MAKERS, default="editors")
    weekdays = models.CharField(max_length=7, default="12345", help_text="Days it goes out: 1 Monday … 7 Sunday.")
    send_at = models.TimeField(help_text="Time of day in the paper's zone.")
    sections = models.CharField(max_length=400, blank=True, help_text="Slugs of sections with commas; empty is all.")
    priority = models.PositiveSmallIntegerField(default=9, help_text="Stories of this priority or a lower number.")
    count = models.PositiveSmallIntegerField(default=7, help_text="How many stories at most.")
    whole = models.PositiveSmallIntegerField(default=2, help_text="How many of them, from the top, come in full.")
    # Why the rule made no issue the last time, and for which day: shown, because silence looks like a fault.
    held_day = models.DateField(null=True, blank=True, editable=False)
    held_why = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["position", "name"]
        indexes = [models.Index(fields=["position"], condition=models.Q(live=True), name="newsletters_list_live")]

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """A mail address that asked for a newsletter once. Suppressed ones get nothing, whatever list they are on."""

    email = models.EmailField(max_length=254, unique=True)
    created_at = models.DateTimeField()
    suppressed = models.CharField(max_length=12, blank=True)  # bounce, soft, complaint, manual
    suppressed_at = models.DateTimeField(null=True)
    soft_bounces = models.PositiveSmallIntegerField(default=0)
    soft_since = models.DateTimeField(null=True)
    # When letters that ask for a confirmation went there: nobody may fill a stranger's mailbox through our form.
    asked = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["-suppressed_at"], condition=~models.Q(suppressed=""), name="newsletters_suppressed")
        ]
        permissions = [("suppress_address", "Can suppress and release addresses")]

    def __str__(self) -> str:
        return self.email


class SignUp(models.Model):
    """An address on a list: asked for, confirmed, or ended."""

    list = models.ForeignKey(List, models.CASCADE, related_name="sign_ups")
    address = models.ForeignKey(Address, models.CASCADE, related_name="sign_ups")
    status = models.CharField(max_length=8)  # pending, on, off
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "address"], name="newsletters_once_on_a_list")]
        indexes = [
            models.Index(fields=["list", "address"], condition=models.Q(status="on"), name="newsletters_on_list"),
            models.Index(fields=["asked_at"], condition=models.Q(status="pending"), name="newsletters_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.address_id} on {self.list_id}: {self.status}"


class Issue(models.Model):
    """One letter of a list, from its first draft to its last delivery. Counters grow with the deliveries' own rows."""

    list = models.ForeignKey(List, models.PROTECT, related_name="issues")
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=150, blank=True)
    preheader = models.CharField(max_length=150, blank=True)
    intro = models.TextField(blank=True)
    status = models.CharField(max_length=10, default="draft")
    rule_day = models.DateField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("readers.Reader", models.SET_NULL, null=True, related_name="+")
    send_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    # The sending: how far the snapshot of recipients is, who holds the lease, what went wrong.
    gathered_to = models.BigIntegerField(default=0)
    gathered = models.BooleanField(default=False)
    recipients = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    doubtful = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    leased_by = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True)
    progress_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)
    trouble_since = models.DateTimeField(null=True)
    opens = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="newsletters_issue_number"),
            models.UniqueConstraint(
                fields=["list", "rule_day"], condition=models.Q(rule_day__isnull=False), name="newsletters_rule_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["send_at"],
                condition=models.Q(status__in=["scheduled", "sending", "failed"]),
                name="newsletters_under_way",
            ),
            models.Index(fields=["list", "-number"], condition=models.Q(status="sent"), name="newsletters_past"),
        ]
        permissions = [("send_issue", "Can schedule and send issues")]

    def __str__(self) -> str:
        return f"{self.list} {self.number}"


class IssueStory(models.Model):
    """A story in an issue, in its place. `whole`: entitled readers get it in full."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="stories")
    story_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=300, blank=True)
    whole = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["issue", "story_id"], name="newsletters_story_once")]

    def __str__(self) -> str:
        return f"story {self.story_id} in {self.issue_id}"


class Link(models.Model):
    """An address that an issue leads to, with how often it was followed; by whom is not kept."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="links")
    url = models.CharField(max_length=1000)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "url"], name="newsletters_link_once")]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """An issue's one mail to one address. `claim` names the run that took it; see actions/sending.py."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="deliveries")
    address = models.ForeignKey(Address, models.CASCADE, related_name="+")
    status = models.CharField(max_length=8, default="waiting")  # waiting, claimed, sent, refused, doubtful, skipped
    claim = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "address"], name="newsletters_one_delivery")]
        indexes = [
            models.Index(
                fields=["issue", "next_at", "id"], condition=models.Q(status="waiting"), name="newsletters_waiting"
            ),
            models.Index(fields=["issue", "id"], condition=models.Q(status="claimed"), name="newsletters_claimed"),
            models.Index(
                fields=["issue", "status", "id"],
                condition=models.Q(status__in=["refused", "doubtful"]),
                name="newsletters_troubled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} -> {self.address_id}: {self.status}"


class Report(models.Model):
    """A bounce or complaint that came back, once: its digest is its name. Unmatched ones keep why."""

    digest = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=10)  # hard, soft, complaint, unknown
    address = models.ForeignKey(Address, models.SET_NULL, null=True, related_name="+")
    issue = models.ForeignKey(Issue, models.SET_NULL, null=True, related_name="+")
    words = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="newsletters_report_at")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"
