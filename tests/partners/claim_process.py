"""One process of many readers who claim at once, each in a thread of its own: started by test_parallel.

claim_process.py fill READERS CODES | claim FIRST COUNT [crash]
"""

import json
import os
import signal
import sys
import threading

import django

django.setup()

from django.db import connection  # noqa: E402
from tests.partners import make_partners as make  # noqa: E402

from broadsheet.partners import actions  # noqa: E402
from broadsheet.partners.models import Claim, Code, Offer  # noqa: E402
from broadsheet.partners.vault import Vault  # noqa: E402


def fill(readers, codes):
    """Readers with a right to partner titles of their own, and a pool."""
    from broadsheet.access.actions import grant_many
    from broadsheet.readers.models import Reader
    from broadsheet.server.database import make_ready

    make_ready()
    row = make.offer(make.partner())
    make.codes(row, codes)
    Reader.objects.bulk_create(Reader(email=f"r{n}@reader.example", created_at=make.NOW) for n in range(readers))
    made = Reader.objects.order_by("pk").values_list("pk", flat=True)
    grant_many(rows=[(pk, "partner", make.NOW, None, f"test:{pk}") for pk in made])
    return {"first": min(made)}


def claim(first, count, crash):
    """`crash`: the process is killed in the middle of its third claim, once a code was taken."""
    got, taken = {}, []
    if crash:
        hand_out = actions._hand_out

        def and_die(row, made, now):
            hand_out(row, made, now)
            taken.append(made)
            if len(taken) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        actions._hand_out = and_die
    gate = threading.Barrier(count)

    def one(reader):
        gate.wait()
        try:
            made = actions.claim(reader_id=reader, partner="post", offer="all", now=make.NOW)
            got[reader] = make.code_of(made)
        except actions.ClaimRefusedError as refused:
            got[reader] = refused.reason
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(reader,)) for reader in range(first, first + count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def books():
    vault = Vault(Offer.objects.get().partner.key)
    given = Code.objects.exclude(claim=None).select_related("claim")
    return {
        "claims": Claim.objects.count(),
        "given": {str(one.claim.reader_id): vault.open(one.sealed) for one in given},
    }


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    if verb == "fill":
        answer = fill(int(words[0]), int(words[1]))
    elif verb == "claim":
        print("ready", flush=True)
        sys.stdin.readline()
        answer = {"before": books()}
        answer["got"] = claim(int(words[0]), int(words[1]), crash=len(words) > 2)
        answer["books"] = books()
    print(json.dumps(answer), flush=True)
