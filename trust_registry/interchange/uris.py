"""The URIs with which our lists say things in ETSI's terms: ETSI's own where the meaning is the same, else our URNs.

ETSI's names for qualified services and for EU schemes are never used: they would claim a legal effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trust_registry.model import EntryStatus, KeyUse

TSL_TAG: Final = "http://uri.etsi.org/19612/TSLTag"
TSL_VERSION: Final = 6  # of TS 119 612 V2.3.1 and V2.4.1
LOTE_VERSION: Final = 1
NEVER_REMOVED: Final = 65535  # TS 119 612 clause 5.3.12: history is kept for good

LIST_OF_REGION: Final = "urn:yinxin:trusted-list"
LIST_OF_LISTS: Final = "urn:yinxin:list-of-trusted-lists"
DETERMINATION: Final = "urn:yinxin:status-determination:signed-by-officers"
SCHEME_RULES: Final = "urn:yinxin:scheme-rules:mutual-recognition"
REGION_URN: Final = "urn:yinxin:region:"
SEAL_URN: Final = "urn:yinxin:seal:"
REASON_URN: Final = "urn:yinxin:status-reason:"

ATTESTATION: Final = "urn:yinxin:service:attestation"  # issuing certificates of one type at one assurance
SEALING: Final = "urn:yinxin:service:seal"
STATUS_LISTS: Final = "urn:yinxin:service:status-list"
LIST_SIGNING: Final = "urn:yinxin:service:list-signing"
RECEIPTS: Final = "urn:yinxin:service:receipt"
ACCESS: Final = "urn:yinxin:service:access"

SERVICE_OF_USE: Final[Mapping[KeyUse, str]] = {
    KeyUse.SEAL: SEALING,
    KeyUse.STATUS: STATUS_LISTS,
    KeyUse.RECEIPT: RECEIPTS,
    KeyUse.ACCESS: ACCESS,
    KeyUse.LIST: LIST_SIGNING,
    KeyUse.TIMESTAMP: "http://uri.etsi.org/TrstSvc/Svctype/TSA",  # not the qualified TSA/QTST
    KeyUse.CA: "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC",  # not the qualified CA/QC
}
STATUS_URIS: Final[Mapping[EntryStatus, str]] = {
    EntryStatus.GRANTED: "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted",
    EntryStatus.WITHDRAWN: "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn",
    EntryStatus.SUSPENDED: "http://uri.etsi.org/TrstSvc/Svcstatus/suspended",  # of TS 102 231; TS 119 612 has none
}

JSON_MEDIA_TYPE: Final = "application/jose"
XML_MEDIA_TYPE: Final = "application/vnd.etsi.tsl+xml"
