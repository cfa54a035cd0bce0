"""A citizen's browser for the hosted wallet's JSON routes: holds the keys, in software, and signs what it is given."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.running import DemoServer


class Hosted:
    """The wallet of a signed-in citizen."""

    def __init__(self, citizen: httpx.Client) -> None:
        self._citizen = citizen
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def collect(self, offer: str, pin: str | None = None) -> Any:
        """Everything that is offered; what the last step said."""
        looked = self._post("openid4vci", {"offer": offer})
        path = f"openid4vci/{looked['id']}"
        code = {} if pin is None else {"tx_code": pin}
        step = self._post(f"{path}/start", {"keys": self._new_keys(looked["keys"]), **code})
        while step["to_sign"]:
            signed = {each["key"]: self._sign(each["key"], each["data"]) for each in step["to_sign"]}
            step = self._post(f"{path}/finish", {"signatures": signed})
        return {**looked, **step}

    def look(self, uri: str) -> Any:
        """What is asked, and by whom."""
        return self._post("openid4vp", {"uri": uri})

    def show(self, uri: str) -> Any:
        """Consent to the first option of every query, said twice where the wallet warns; what was asked."""
        asked = self.look(uri)
        options = {id: query["options"][0] for id, query in asked["queries"].items()}
        wanted: dict[str, Any] = {
            "choices": {id: {"option": o["id"], "claims": o["claim_sets"][0]["number"]} for id, o in options.items()},
            "thumbprints": [thumbprint for option in options.values() for thumbprint in option["thumbprints"]],
            "confirmed": asked["needs_confirmation"],
        }
        path = f"openid4vp/{asked['id']}"
        needed = self._post(f"{path}/prepare", wanted)
        if "keys_needed" in needed:
            needed = self._post(f"{path}/prepare", {**wanted, "keys": self._new_keys(needed["keys_needed"])})
        signatures = [self._sign(each["thumbprint"], each["data"]) for each in needed["to_sign"]]
        self._post(f"{path}/answer", {"signatures": signatures})
        return asked

    def _post(self, path: str, body: Any) -> Any:
        answer = self._citizen.post(f"/api/wallet/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def _new_keys(self, count: int) -> list[dict[str, str]]:
        made = []
        for _ in range(count):
            key = ec.generate_private_key(ec.SECP256R1())
            numbers = key.public_key().public_numbers()
            x, y = (_text(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
            named = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
            self._keys[_text(sha256(named.encode()).digest())] = key
            made.append({"kty": "EC", "crv": "P-256", "x": x, "y": y})
        return made

    def _sign(self, thumbprint: str, data: str) -> str:
        message = urlsafe_b64decode(data + "=" * (-len(data) % 4))
        r, s = decode_dss_signature(self._keys[thumbprint].sign(message, ec.ECDSA(hashes.SHA256())))
        return _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@contextmanager
def hosted(server: DemoServer, account: str) -> Iterator[Hosted]:
    with server.signed_in(account) as citizen:
        yield Hosted(citizen)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
