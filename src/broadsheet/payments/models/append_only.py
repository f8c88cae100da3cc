"""Rows that are written once: documents and books."""

from __future__ import annotations

from django.db import models


class AppendOnly(models.Model):
    """Refuses to be changed or deleted; a mistake is put right by another row."""

    class Meta:
        abstract = True

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk is not None and not self._state.adding:
            raise TypeError(f"A {self._meta.verbose_name} is only added to the books.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002 - Django's signature
        raise TypeError(f"A {self._meta.verbose_name} is never deleted.")
