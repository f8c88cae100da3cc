import tests.django_up  # noqa: F401
