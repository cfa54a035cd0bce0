"""mdocs (ISO/IEC 18013-5:2021): issue, select, present, parse, check. No engagement, no transport, no trust."""

from keys.envelopes.mdoc.device import (
    Agreement,
    DeviceOutcome,
    check_device_authentication,
    mac_as_device,
    sign_as_device,
)
from keys.envelopes.mdoc.issuing import issue_mdoc, make_device_response, select_elements
from keys.envelopes.mdoc.model import (
    DeviceSigned,
    IssuerSigned,
    IssuerSignedItem,
    ItemOutcome,
    Mdoc,
    MobileSecurityObject,
    ValidityInfo,
)
from keys.envelopes.mdoc.parsing import MAX_SIZE, parse_device_response, parse_mdoc
from keys.envelopes.mdoc.transcripts import dc_api_transcript, openid4vp_transcript

__all__ = [
    "MAX_SIZE",
    "Agreement",
    "DeviceOutcome",
    "DeviceSigned",
    "IssuerSigned",
    "IssuerSignedItem",
    "ItemOutcome",
    "Mdoc",
    "MobileSecurityObject",
    "ValidityInfo",
    "check_device_authentication",
    "dc_api_transcript",
    "issue_mdoc",
    "mac_as_device",
    "make_device_response",
    "openid4vp_transcript",
    "parse_device_response",
    "parse_mdoc",
    "select_elements",
    "sign_as_device",
]
