"""The sentences on what a wallet showed when it was asked. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.phrases.words import AGAIN, Phrase

PRESENTED: Final[Mapping[str, Phrase]] = {
    "shown_other_than_asked": Phrase(
        "出示的不是本次要求的证照。",
        "What was shown is not what was asked for.",
        "请持证人重新出示，并选择所要求的证照。",
        "Ask the holder to show it again and to choose the certificate that is asked for.",
    ),
    "shown_more_than_asked": Phrase(
        "出示的内容超出本次要求，不能收下。",
        "It shows more than was asked for, and may not be taken.",
        "请持证人重新出示，只提供所要求的内容；若仍如此，请换用其他钱包。",
        "Ask the holder to show it again with only what is asked for; if it happens again, to use another wallet.",
    ),
    "shown_less_than_asked": Phrase(
        "出示时缺少本次要求的内容。",
        "Something that was asked for was not shown.",
        "请持证人重新出示，并同意提供所要求的内容。",
        "Ask the holder to show it again and to include what is asked for.",
    ),
    "transaction_not_authorised": Phrase(
        "持证人没有对本次办理的内容作出确认。",
        "The holder did not confirm what this is for.",
        *AGAIN,
    ),
    "binding_early": Phrase(
        "出示时间晚于现在：出示的设备或本机的时钟不准。",
        "It says that it will be shown later than now: the clock of the device, or of this machine, is wrong.",
        "请核对两边的时间，再请持证人重新出示。",
        "Check the time on both, then ask the holder to show it again.",
    ),
}
