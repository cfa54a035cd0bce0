"""The sentences on mobile documents (mdoc) alone. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import Phrase

_AGAIN: Final = (
    "请持证人从本人手机重新出示。",
    "Ask the holder to show it again from their own phone.",
)
_REPORT: Final = (
    "请勿接受，并按规定上报。",
    "Do not accept it, and report it as your rules say.",
)

MDOC: Final[Mapping[str, Phrase]] = {
    "item_altered": Phrase(
        "其中有的内容不是签发者签过的：被改动、调换，或取自另一份证件。",
        "Something in it is not what its issuer signed: altered, swapped, or taken from another document.",
        *_REPORT,
    ),
    "doc_type_differs": Phrase(
        "出示的证件种类与签发者签的种类不一致。",
        "It is shown as another kind of document than its issuer signed.",
        *_REPORT,
    ),
    "core_withheld": Phrase(
        "出示时没有包含证照编号（或签发机构、印章），无法核对是哪一份证照。",
        "It was shown without its number (or its issuer or seal), so which certificate it is cannot be checked.",
        "请持证人重新出示，并同意提供这些内容。",
        "Ask the holder to show it again and to include these.",
    ),
    "device_binding_false": Phrase(
        "持证人设备的签名不对：不是本人的设备，或是为别的办理作出的。",
        "The device's signature is wrong: it is not the holder's device, or it was made for something else.",
        "请勿接受；请持证人本人重新出示。",
        "Do not accept it; ask the holder in person to show it again.",
    ),
    "device_not_checkable": Phrase(
        "持证人设备签了名，但这里没有核对它所需的资料。",
        "The holder's device signed it, but what is needed to check that is not here.",
        *_AGAIN,
    ),
    "device_session_unknown": Phrase(
        "带有持证人设备的签名，但不知道是为哪次办理作出的，未核对。",
        "Signed by a device for a session that is not known here, so not checked.",
    ),
}
