"""Signed links: another library reads ours, and we read a partner's and nothing else."""

from datetime import UTC, datetime

import pytest
from authlib.jose import JsonWebKey, JsonWebToken

from broadsheet.partners import tokens
from broadsheet.partners.tokens import TokenRefusedError

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
SECRET = b"a secret of two papers, long enough"
SAID = {
    "iss": "post", "aud": "https://here.example", "sub": "s1", "jti": "j1",
    "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 300,
}  # fmt: skip


def read(token, secret=SECRET):
    return tokens.verify(token, secret=secret, issuer="post", audience="https://here.example", now=NOW)


def reason(token, secret=SECRET):
    with pytest.raises(TokenRefusedError) as error:
        read(token, secret)
    return error.value.reason


def test_another_library_reads_what_we_sign():
    ours = JsonWebToken(["HS256"]).decode(tokens.sign(SAID, secret=SECRET), SECRET)
    assert dict(ours) == SAID
    key = b"k" * 32
    public = JsonWebKey.import_key(tokens.public_key(key))
    said = JsonWebToken(["EdDSA"]).decode(tokens.sign(SAID, key=key), public)
    assert dict(said) == SAID
    assert "d" not in tokens.public_key(key)


def test_we_read_what_another_library_signs():
    theirs = JsonWebToken(["HS256"]).encode({"alg": "HS256"}, SAID, SECRET).decode()
    assert read(theirs) == SAID


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"exp": SAID["iat"]}, "expired"),
        ({"iat": SAID["iat"] + 120, "exp": SAID["exp"] + 120}, "not_yet"),
        ({"exp": SAID["iat"] + 901}, "too_long"),
        ({"iss": "other"}, "issuer"),
        ({"aud": "https://other.example"}, "audience"),
        ({"aud": ["https://here.example"]}, "audience"),
        ({"sub": ""}, "malformed"),
        ({"sub": 7}, "malformed"),
        ({"jti": "x" * 121}, "malformed"),
        ({"exp": "soon"}, "malformed"),
        ({"iat": True}, "malformed"),
    ],
)
def test_what_is_wrong_is_refused_for_its_reason(change, why):
    assert reason(tokens.sign({**SAID, **change}, secret=SECRET)) == why


def test_no_other_algorithm_is_taken():
    for algorithm in ("HS384", "HS512"):
        assert reason(JsonWebToken([algorithm]).encode({"alg": algorithm}, SAID, SECRET).decode()) == "algorithm"
    head, body, _ = tokens.sign(SAID, secret=SECRET).split(".")
    none = tokens._text(b'{"alg":"none"}')
    assert reason(f"{none}.{body}.") == "algorithm"
    assert reason(tokens.sign(SAID, key=b"k" * 32)) == "algorithm"
    assert reason(tokens.sign(SAID, secret=b"another")) == "signature"
    assert reason(f"{head}.{body}.") == "signature"


def test_every_changed_letter_is_noticed():
    token = tokens.sign(SAID, secret=SECRET)
    for place, letter in enumerate(token[:-1]):  # the last letter of a signature holds two bits that say nothing
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert reason(changed) in ("signature", "malformed", "algorithm"), place


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "[" * 2000 + ".x.y", "x" * 5000, "e30.W10.e30"])
def test_rubbish_is_rubbish(token):
    assert reason(token) == "malformed"
