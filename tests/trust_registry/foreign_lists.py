"""Trusted lists of made-up networks, for tests: every element by hand, every signature real."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from lxml import etree

from keys.algorithms import ES256
from keys.envelopes.xades import sign_xml
from keys.signer import EphemeralSigner, Signer
from keys.x509 import make_region_ca

DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)
STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
SERVICE_TYPE = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
FOR_SEALS = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals"
LIST_TYPE = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"
LOTL_TYPE = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
XML_TYPE = "application/vnd.etsi.tsl+xml"


@dataclass(frozen=True)
class Key:
    """A key and a certificate over it."""

    signer: Signer
    certificate: bytes


@cache
def key(name: str) -> Key:
    """The key of this name, the same one each time."""
    signer = EphemeralSigner.generate(ES256)
    certificate = make_region_ca(
        signer,
        common_name=name,
        organisation=f"Organisation {name}",
        region="EE",
        not_before=DAY_0 - timedelta(days=2000),
        not_after=DAY_0 + timedelta(days=2000),
    )
    return Key(signer, certificate.der)


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def days(number: float) -> datetime:
    return DAY_0 + timedelta(days=number)


@dataclass(frozen=True)
class Period:
    status: str = STATUS + "granted"
    since: datetime = DAY_0 - timedelta(days=100)
    type: str = SERVICE_TYPE
    additional: Sequence[str] = (FOR_SEALS,)
    extensions: str = ""

    def xml(self, name: str, identity: str) -> str:
        information = "".join(
            f'<Extension Critical="true"><AdditionalServiceInformation><URI xml:lang="en">{uri}</URI>'
            "</AdditionalServiceInformation></Extension>"
            for uri in self.additional
        )
        return (
            f"<ServiceTypeIdentifier>{self.type}</ServiceTypeIdentifier>"
            f'<ServiceName><Name xml:lang="en">{name}</Name></ServiceName>'
            f"<ServiceDigitalIdentity>{identity}</ServiceDigitalIdentity>"
            f"<ServiceStatus>{self.status}</ServiceStatus>"
            f"<StatusStartingTime>{text(self.since)}</StatusStartingTime>"
            f"<ServiceInformationExtensions>{information}{self.extensions}</ServiceInformationExtensions>"
        )


@dataclass(frozen=True)
class Service:
    name: str = "Seals for all"
    now: Period = Period()
    before: Sequence[Period] = ()
    identity: str | None = None

    def xml(self) -> str:
        identity = self.identity or certificate_xml(key(self.name).certificate)
        history = "".join(
            f"<ServiceHistoryInstance>{period.xml(self.name, identity)}</ServiceHistoryInstance>"
            for period in self.before
        )
        return (
            f"<TSPService><ServiceInformation>{self.now.xml(self.name, identity)}</ServiceInformation>"
            f"<ServiceHistory>{history}</ServiceHistory></TSPService>"
        )


@dataclass(frozen=True)
class Pointer:
    location: str
    territory: str
    signers: Sequence[bytes]
    list_type: str = LIST_TYPE
    mime_type: str = XML_TYPE
    more: str = ""

    def xml(self) -> str:
        identities = "".join(
            f"<ServiceDigitalIdentity>{certificate_xml(signer)}</ServiceDigitalIdentity>" for signer in self.signers
        )
        return (
            f"<OtherTSLPointer><ServiceDigitalIdentities>{identities}</ServiceDigitalIdentities>"
            f"<TSLLocation>{self.location}</TSLLocation><AdditionalInformation>"
            f"<OtherInformation><TSLType>{self.list_type}</TSLType></OtherInformation>"
            f"<OtherInformation><SchemeTerritory>{self.territory}</SchemeTerritory></OtherInformation>"
            f'<OtherInformation><a:MimeType xmlns:a="http://uri.etsi.org/02231/v2/additionaltypes#">{self.mime_type}'
            f"</a:MimeType></OtherInformation>{self.more}</AdditionalInformation></OtherTSLPointer>"
        )


@dataclass(frozen=True)
class TrustedList:
    """A TS 119 612 list. `sign` gives its bytes."""

    territory: str = "EE"
    sequence: int = 1
    issued: datetime = DAY_0
    next_update: datetime | None = DAY_0 + timedelta(days=180)
    list_type: str = LIST_TYPE
    services: Sequence[Service] = (Service(),)
    pointers: Sequence[Pointer] = ()
    uris: Sequence[str] = ("https://lists.example/about",)
    version: str = "6"
    replaced: Mapping[str, str] = field(default_factory=dict)

    def xml(self) -> str:
        next_update = "" if self.next_update is None else f"<dateTime>{text(self.next_update)}</dateTime>"
        uris = "".join(f'<URI xml:lang="en">{uri}</URI>' for uri in self.uris)
        pointers = "".join(pointer.xml() for pointer in self.pointers)
        services = "".join(service.xml() for service in self.services)
        document = (
            '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" Id="list" '
            'TSLTag="http://uri.etsi.org/19612/TSLTag"><SchemeInformation>'
            f"<TSLVersionIdentifier>{self.version}</TSLVersionIdentifier>"
            f"<TSLSequenceNumber>{self.sequence}</TSLSequenceNumber><TSLType>{self.list_type}</TSLType>"
            '<SchemeOperatorName><Name xml:lang="en">Office of Lists</Name><Name xml:lang="zh">名录局</Name>'
            f"</SchemeOperatorName><SchemeInformationURI>{uris}</SchemeInformationURI>"
            f"<SchemeTerritory>{self.territory}</SchemeTerritory>"
            f"<PointersToOtherTSL>{pointers}</PointersToOtherTSL>"
            f"<ListIssueDateTime>{text(self.issued)}</ListIssueDateTime><NextUpdate>{next_update}</NextUpdate>"
            "</SchemeInformation><TrustServiceProviderList><TrustServiceProvider><TSPInformation>"
            '<TSPName><Name xml:lang="en">Provider</Name></TSPName></TSPInformation>'
            f"<TSPServices>{services}</TSPServices></TrustServiceProvider></TrustServiceProviderList>"
            "</TrustServiceStatusList>"
        )
        for old, new in self.replaced.items():
            assert old in document, old
            document = document.replace(old, new)
        return document

    def but(self, old: str, new: str) -> TrustedList:
        """The same list with some XML in place of other."""
        return replace(self, replaced={**self.replaced, old: new})

    def sign(self, by: str = "operator") -> bytes:
        signing = key(by)
        return sign_xml(
            etree.fromstring(self.xml().encode()),
            signer=signing.signer,
            certificate=signing.certificate,
            signing_time=self.issued,
        )


def certificate_xml(der: bytes) -> str:
    return f"<DigitalId><X509Certificate>{base64.b64encode(der).decode()}</X509Certificate></DigitalId>"
