"""How a client's secret is stored: by one digest. It is 256 random bits, so nobody guesses it however fast a guess is,
and a partner that asks ten times a second must not cost us ten slow hashes."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class SecretDigest(BasePasswordHasher):
    algorithm = "secret_sha256"

    def salt(self) -> str:
        return "-"

    def encode(self, password: str, salt: str) -> str:
        return f"{self.algorithm}${salt}${hashlib.sha256(password.encode()).hexdigest()}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return constant_time_compare(encoded, self.encode(password, "-"))

    def must_update(self, encoded: str) -> bool:  # noqa: ARG002 - Django's
        return False

    def safe_summary(self, encoded: str) -> dict[str, str]:
        return {"algorithm": self.decode(encoded)["algorithm"]}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to make longer."""
