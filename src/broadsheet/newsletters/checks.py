"""A key that cannot sign, or an address that cannot take bounces, stops the start instead of the morning's sending."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from broadsheet.mail.rules import MailUrlError, settings_from_url
from broadsheet.newsletters.dkim import DkimError
from broadsheet.newsletters.post import dkim_key_path, signer

_LONGEST_LOCAL = 15  # with its token a return path's local part has at most 64 characters


@register
def newsletter_options(**_: Any) -> list[CheckMessage]:
    options, found = settings.BROADSHEET, []
    try:
        signer()
    except DkimError as error:
        hint = f"`broadsheet newsletters dkim-key` makes {dkim_key_path().name}; or leave dkim_selector empty."
        found.append(Error(f"dkim_selector: {error}", hint=hint, id="broadsheet.newsletters.E001"))
    name, _, host = options.bounce_address.rpartition("@")
    if options.bounce_address and (not name or not host or "+" in name or len(name) > _LONGEST_LOCAL):
        hint = f"Write an address with a short name and without +, such as bounces@{options.public_host}."
        found.append(Error("bounce_address cannot be used.", hint=hint, id="broadsheet.newsletters.E002"))
    if options.newsletter_email_url:
        try:
            settings_from_url(options.newsletter_email_url)
        except MailUrlError as error:
            text = str(error).replace("email_url:", "newsletter_email_url:", 1)
            found.append(Error(text, id="broadsheet.newsletters.E003"))
    return found
