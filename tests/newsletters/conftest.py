import pytest
import tests.django_up  # noqa: F401


@pytest.fixture(autouse=True)
def letters_in_a_folder(tmp_path, settings):
    """Every mail of a test lies in its own folder."""
    settings.EMAIL_BACKEND = "broadsheet.mail.adapters.folder.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "letters")
    settings.MEDIA_ROOT = tmp_path / "media"
