"""Tables of epaper: editions and what came in for them; their pages and areas; what readers keep and clip."""

from broadsheet.epaper.models.editions import Edition, Intake, Place
from broadsheet.epaper.models.pages import Area, EditionPage
from broadsheet.epaper.models.readers import Clip, Handout, KeptEdition

__all__ = ["Area", "Clip", "Edition", "EditionPage", "Handout", "Intake", "KeptEdition", "Place"]
