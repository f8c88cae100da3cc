"""Letters: a value any app gives to `send`, and the transport named by the option `email_url`.

Called by the jobs of readers, payments and subscriptions; `server` asks it for Django's mail settings.
Never decides who gets a letter, and never runs inside a reader's transaction.
"""

from broadsheet.mail.actions import Letter, send
from broadsheet.mail.rules import MailUrlError, settings_from_url

__all__ = ["Letter", "MailUrlError", "send", "settings_from_url"]
