"""What apps and partners talk to: a documented API, and the paper as an OpenID provider.

Called by the publisher's apps, by partners, by readers' devices.
Never decides access itself: every word of a story comes through the one decision.
"""
