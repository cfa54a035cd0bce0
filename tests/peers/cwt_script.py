"""python-cwt, asked over standard input: runs alone, with only `peers` on its path."""

import json
import sys
import zlib
from itertools import cycle
from time import thread_time

import cwt
from base45 import b45decode
from cwt import COSE, COSEKey


def handle(question, state):
    what = question["what"]
    if what == "key":
        state["key"] = COSEKey.from_pem(question["pem"], alg="ES256", kid=bytes.fromhex(question["kid"]))
        return {}
    if what == "holds":  # the signature and nothing else
        try:
            payload = COSE.new().decode(bytes.fromhex(question["cose"]), state["key"])
        except Exception as err:  # whatever it refuses with
            return {"holds": False, "why": f"{type(err).__name__}: {err}"}
        return {"holds": True, "payload": payload.hex() if isinstance(payload, bytes) else None}
    if what == "codes":
        state["codes"] = cycle(question["codes"])
        return {}
    if what == "time":  # seconds of processor time for so many, from the text after the prefix to the claims
        codes, key = state["codes"], state["key"]
        began = thread_time()
        for _ in range(question["calls"]):
            data = b45decode(next(codes))
            cwt.decode(zlib.decompress(data) if data[:1] == b"\x78" else data, key)
        return {"seconds": thread_time() - began}
    raise ValueError(what)


def main():
    state = {}
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line), state)), flush=True)


main()
