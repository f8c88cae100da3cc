"""The wire's actions and jobs need Django."""

import tests.django_up  # noqa: F401
