"""A reader is anyone with an account; staff are readers with a role."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from broadsheet import clock


class ReaderManager(BaseUserManager):
    """The manager Django's auth asks for; our own writers stand in readers.actions."""

    def get_by_natural_key(self, username):
        return self.get(email=username.strip().lower())

    def create_user(self, email, password=None, **fields):
        reader = self.model(email=email.strip().lower(), **fields)
        reader.set_password(password)
        reader.save(using=self._db)
        return reader

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Reader(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    verified_at = models.DateTimeField(null=True, blank=True)
    # Grows with every change of the reader's rights; a passport of an older epoch is re-issued before it is believed.
    epoch = models.PositiveIntegerField(default=1)

    objects = ReaderManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]


class Device(models.Model):
    """Where a reader is signed in: a browser by its session, an app by what it was handed. No address is kept.

    `key`: the session's key, or a random name that every token of one signing in carries. `client`: the app's, "" for
    a browser.
    """

    class Kind(models.TextChoices):
        BROWSER = "browser"
        APP = "app"

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=64, unique=True)
    client = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=120)
    first_day = models.DateField()
    last_day = models.DateField()

    def __str__(self) -> str:
        return self.name


class SavedStory(models.Model):
    """A story put aside. The id grows with time: it is the order of the list."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    story_id = models.BigIntegerField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "story_id"], name="one_saving_a_story")]
        indexes = [models.Index(fields=["reader", "-id"], name="readers_saved_newest")]

    def __str__(self) -> str:
        return f"{self.reader_id} saved {self.story_id}"
