"""What only this paper may read: each partner's own key, and what is sealed, digested and named with it."""

from __future__ import annotations

import secrets

from django.conf import settings

from broadsheet.ids import derive_key, keyed_digest
from broadsheet.seals import Seal

_PURPOSE = "partners"


class SealLostError(Exception):
    """The installation's secret that sealed this is gone: codes in stock and shared secrets must be given anew."""


def _house() -> Seal:
    """Opens with every secret there is and seals with the newest."""
    return Seal([derive_key(one, _PURPOSE) for one in settings.BROADSHEET_SECRETS], f"{_PURPOSE}|house")


def new_key() -> str:
    return seal_here(secrets.token_bytes(32))


def seal_here(value: bytes) -> str:
    return _house().seal(value)


def open_here(sealed: str) -> bytes:
    opened = _house().open(sealed)
    if opened is None:
        raise SealLostError
    return opened


def is_newest(sealed: str) -> bool:
    """Whether the newest of the installation's secrets sealed this: the others may be dropped then."""
    newest = derive_key(settings.BROADSHEET_SECRETS[0], _PURPOSE)
    return Seal([newest], f"{_PURPOSE}|house").open(sealed) is not None


class Vault:
    """One partner's."""

    def __init__(self, sealed_key: str) -> None:
        self._key = open_here(sealed_key)
        self._seal = Seal([derive_key(self._key, "partner-codes")], "partners|code")

    def seal(self, code: str) -> str:
        return self._seal.seal(code.encode())

    def open(self, sealed: str) -> str:
        opened = self._seal.open(sealed)
        if opened is None:
            raise SealLostError
        return opened.decode()

    def digest(self, code: str) -> str:
        return keyed_digest(self._key, "partner-code", code.encode()).hex()

    def subject(self, name: str) -> str:
        """What the partner knows a claim by: nothing about the reader, and another at every partner."""
        return "s_" + keyed_digest(self._key, "partner-subject", name.encode()).hex()


def voucher_digest(code: str) -> str:
    """Vouchers hold 100 bits of chance: a plain digest gives nothing away and outlives every secret."""
    return keyed_digest(b"", "voucher", code.encode()).hex()
