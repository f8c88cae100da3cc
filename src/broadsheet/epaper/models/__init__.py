"""Tables of epaper: editions and what came in for them; their pages and areas; what readers keep and clip."""

from broadsheet.epaper.models.editions import Edition, Intake, Place
from broadsheet.epaper.models.pages import Area, EditionPage
from broadsheet.epaper.models.readers import Clip, KeptEdition

__all__ = ["Area", "Clip", "Edition", "EditionPage", "Intake", "KeptEdition", "Place"]
