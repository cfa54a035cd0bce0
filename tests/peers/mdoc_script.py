"""pymdoccbor, asked over standard input: runs alone, with only `peers` on its path."""

import json
import logging
import sys
from itertools import cycle
from time import thread_time

import cbor2
from cryptography import x509
from pycose.keys import EC2Key
from pymdoccbor.mdoc.issuer import MdocCborIssuer
from pymdoccbor.mdoc.verifier import MdocCbor

logging.disable(logging.CRITICAL)


def issue(question):
    key = EC2Key(
        crv="P_256",
        x=bytes.fromhex(question["x"]),
        y=bytes.fromhex(question["y"]),
        d=bytes.fromhex(question["d"]),
        optional_params={"ALG": "ES256", "KID": b"1"},
    )
    issuer = MdocCborIssuer(private_key=key, alg="ES256")
    issuer.new(
        data=question["data"],
        doctype=question["doctype"],
        validity=question["validity"],
        devicekeyinfo={"KTY": "EC2", "CURVE": "P_256", "X": key.x, "Y": key.y},
        x509_chain=[x509.load_der_x509_certificate(bytes.fromhex(question["certificate"]))],
        revocation={"status_list": {"idx": 412, "uri": "https://example.org/status/1"}},
    )
    document = issuer.signed["documents"][0]
    return cbor2.dumps(document["issuerSigned"], canonical=True)


def verify(data):
    mdoc = MdocCbor()
    mdoc.loads(data)
    holds = mdoc.verify()
    return {"holds": bool(holds), "documents": [document.doctype for document in mdoc.documents]}


def handle(question, state):
    what = question["what"]
    if what == "issue":
        return {"issued": issue(question).hex()}
    if what == "verify":
        try:
            return verify(bytes.fromhex(question["mdoc"]))
        except Exception as err:  # whatever it refuses with
            return {"holds": False, "why": f"{type(err).__name__}: {err}"}
    if what == "mdocs":
        state["mdocs"] = cycle([bytes.fromhex(each) for each in question["mdocs"]])
        return {}
    if what == "time":  # seconds of processor time for so many, verified or made
        began = thread_time()
        for _ in range(question["calls"]):
            if question["of"] == "issue":
                issue(question)
            elif not verify(next(state["mdocs"]))["holds"]:
                raise AssertionError("the peer does not verify the benchmark's own mdoc")
        return {"seconds": thread_time() - began}
    raise ValueError(what)


def main():
    state = {}
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line), state)), flush=True)


main()
