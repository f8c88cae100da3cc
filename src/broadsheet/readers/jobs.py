"""Background entries of accounts."""

from __future__ import annotations

from django.conf import settings

from broadsheet.mail import Letter, send
from broadsheet.readers.events import DeviceEnded
from broadsheet.readers.queries import reader


def tell_of_ended_device(event: DeviceEnded) -> None:
    """A letter to whoever was signed out somewhere because there are too many devices: nobody should wonder why."""
    card = reader(event.reader_id)
    if card is not None:
        send(_letter(card.email, event))


def _letter(to: str, event: DeviceEnded) -> Letter:
    options = settings.BROADSHEET
    text = (
        f"You logged in to {options.name} with {event.by}. An account can be used on {options.device_limit} devices at "
        f"once, so the one you had not used for longest was logged out: {event.ended}.\n\n"
        f"You can log in there again at any time. If this was not you, log out everywhere here:\n\n"
        f"    {options.public_url}/account/devices/\n\n{options.name}\n"
    )
    return Letter(to=to, subject=f"{event.ended} was logged out", text=text)
