"""One repair to asn1crypto 1.5.1, applied once, in this place only; the bytes it writes stay the same.

`Asn1Value.dump` reads `self.contents` two to four times, and for a changed structure each reading encodes the whole
subtree anew: exponential in nesting depth, seconds for a CMS with a time-stamp (upstream issue 256). Reading it once is
linear. Another version of asn1crypto is left as it is. To be removed when upstream has the repair.
"""

from __future__ import annotations

from typing import Any, Final

import asn1crypto
import asn1crypto.core

_core: Final[Any] = asn1crypto.core
PATCHED_VERSION: Final = "1.5.1"


def apply() -> bool:
    """Put the linear `dump` in place, if this is the version known to need it. True if it is in place. Idempotent."""
    if asn1crypto.__version__ != PATCHED_VERSION:
        return False
    _core.Asn1Value.dump = linear_dump
    return True


def linear_dump(self: Any, force: bool = False) -> bytes:
    """`asn1crypto.core.Asn1Value.dump`, with `contents` read once. Spec: ITU-T X.690 clause 10."""
    contents = self.contents  # reading it may clear `_header`: keep this first
    if self._header is not None and self._header[-1:] == b"\x80":
        force = True  # an indefinite length is BER; write it anew
    if self._header is None or force:
        if isinstance(self, _core.Constructable) and self._indefinite:
            self.method = 0
        header = _core._dump_header(self.class_, self.method, self.tag, contents)
        if self.explicit is not None:
            for class_, tag in self.explicit:
                header = _core._dump_header(class_, 1, tag, header + contents) + header
        self._header = header
        self._trailer = b""
    encoded: bytes = self._header + contents + self._trailer
    return encoded
