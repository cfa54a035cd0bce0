"""Asking where certificates say: whom we are steered to, how much is read, and what comes of it in a verdict."""

from __future__ import annotations

import gzip
from itertools import count

import httpx
import pytest
from pyhanko.pdf_utils import generic

from keys.algorithms import ES256
from keys.certificate_profiles import RevocationUrls
from keys.revocation import Reason, Revoked, make_crl, parse_ocsp_request
from keys.signer import EphemeralSigner
from keys.x509 import Profile, make_certificate
from server.online_revocation import AskingVerifier, hinges_on_revocation, open_source
from server.revocation_fetching import LONGEST, RevocationFetcher
from server.settings import Settings
from tests.keys.conftest import make_region
from tests.keys.pdf_files import CA, CA_SIGNER, NOW, image, sign, update
from tests.keys.test_revocation import DAY
from trust_registry.model import StatusView
from verifier.evidence import parse
from verifier.model import Indication
from verifier.service import PolicyRequest

PUBLIC = "93.184.215.14"
REGION = make_region()
SIGNER = EphemeralSigner.generate(ES256)
OCSP_URL, CRL_URL = "http://ca.example/ocsp", "http://ca.example/ca.crl"


def certified(ocsp=OCSP_URL, crl=CRL_URL):
    return REGION.certify(Profile.SEAL, SIGNER, revocation=RevocationUrls(ocsp, crl))


class Net:
    """A pretended internet: what was asked, and what is answered."""

    def __init__(self, answer=lambda request: httpx.Response(200, content=b"said"), addresses=(PUBLIC,), **options):
        self.asked: list[httpx.Request] = []
        self.told: list[str] = []

        def handle(request):
            self.asked.append(request)
            return answer(request)

        options = {"timer": lambda: 0.0, "resolve": lambda host, port: addresses, **options}
        client = httpx.Client(transport=httpx.MockTransport(handle))
        self.fetch = RevocationFetcher(client, options.pop("timer"), tell=self.told.append, **options)

    def all(self, certificate=None):
        return list(self.fetch(certificate or certified(), REGION.ca))


class TestAsking:
    def test_the_responder_is_asked_and_then_the_list_is_fetched(self):
        net = Net()
        assert net.all() == [b"said", b"said"]
        ocsp, crl = net.asked
        assert (ocsp.method, ocsp.url.path, crl.method, crl.url.path) == ("POST", "/ocsp", "GET", "/ca.crl")
        assert ocsp.headers["content-type"] == "application/ocsp-request"
        assert len(parse_ocsp_request(ocsp.content).ids) == 1

    def test_the_list_is_not_fetched_when_the_responder_did(self):
        net = Net()
        assert next(iter(net.fetch(certified(), REGION.ca))) == b"said"
        assert len(net.asked) == 1

    def test_a_list_is_fetched_once(self):
        net = Net()
        net.all(certified(ocsp=None))
        net.all(certified(ocsp=None))
        assert len(net.asked) == 1

    def test_but_not_kept_for_long(self):
        clock = [0.0]
        net = Net(timer=lambda: clock[0])
        net.all(certified(ocsp=None))
        clock[0] = 400.0
        net.all(certified(ocsp=None))
        assert len(net.asked) == 2

    def test_nor_are_many_of_them(self):
        net = Net(lambda request: httpx.Response(200, content=bytes(15 << 20)))
        for number in range(6):
            net.all(certified(None, f"http://ca.example/{number}.crl"))
        net.all(certified(None, "http://ca.example/5.crl"))
        assert len(net.asked) == 6
        assert sum(len(held) for _, held in net.fetch._crls.values()) <= 64 << 20

    def test_the_address_that_was_looked_at_is_the_one_that_is_asked(self):
        net = Net()
        net.all()
        assert {(each.url.host, each.headers["host"]) for each in net.asked} == {(PUBLIC, "ca.example")}
        assert net.asked[0].extensions["sni_hostname"] == "ca.example"

    def test_a_certificate_that_names_nothing_asks_nobody(self):
        net = Net()
        assert net.all(REGION.certify(Profile.SEAL, SIGNER)) == []
        assert net.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.9.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "255.255.255.255",
        "64:ff9b:1::7f00:1", "::7f00:1", "::ffff:0:7f00:1", "fec0::1", "192.0.0.8", "5f00::1",
    ],
)  # fmt: skip
def test_a_certificate_cannot_steer_us_into_our_own_network(address):
    net = Net(addresses=(PUBLIC, address))
    assert net.all() == []
    assert net.asked == []
    assert set(net.told) == {"a private address"}


def test_unless_the_settings_say_so():
    assert Net(addresses=("127.0.0.1",), private_addresses=True).all(certified("http://127.0.0.1:8000/ocsp", None))


@pytest.mark.parametrize(
    "url", ["http://ca.example:22/ocsp", "http://user@ca.example/ocsp", "ldap://ca.example/ca", "http:///ocsp"]
)
def test_only_the_webs_own_ports_and_forms_are_asked(url):
    net = Net()
    net.all(certified(url, None))
    assert net.asked == []


class TestBadAnswers:
    def test_too_much(self):
        net = Net(lambda request: httpx.Response(200, content=bytes(1 << 18)))
        assert net.all(certified(crl=None)) == []
        assert net.told == ["too large"]

    def test_too_slow(self):
        clock = count(step=LONGEST)
        assert Net(timer=lambda: next(clock)).all(certified(crl=None)) == [b"said"]
        clock = count(step=LONGEST + 1)
        assert Net(timer=lambda: next(clock)).all(certified(crl=None)) == []

    def test_packed(self):
        packed = {"content-encoding": "gzip"}
        net = Net(lambda request: httpx.Response(200, headers=packed, content=gzip.compress(bytes(1 << 20))))
        assert net.all(certified(crl=None)) == []
        assert net.told == ["packed"]

    @pytest.mark.parametrize("status", [301, 404, 500])
    def test_no_answer_and_no_redirect_is_followed(self, status):
        net = Net(lambda request: httpx.Response(status, headers={"location": "http://10.0.0.1/"}))
        assert net.all() == []
        assert len(net.asked) == 2

    def test_no_such_host(self):
        def unknown(host, port):
            raise OSError("no such host")

        net = Net(resolve=unknown)
        assert net.all() == []
        assert net.told == ["OSError", "OSError"]  # and never the address


def add_store(writer, certificates):
    """A document security store of these certificates."""
    streams = [writer.add_object(generic.StreamObject(stream_data=each.der)) for each in certificates]
    store = generic.DictionaryObject({generic.pdf_name("/Certs"): generic.ArrayObject(streams)})
    writer.root["/DSS"] = writer.add_object(store)
    writer.update_root()


class TestVerdicts:
    """A document of a stranger with an anchor: its certificate says where to ask."""

    LEAF_SIGNER = EphemeralSigner.generate(ES256)

    def verifier(self, source):
        made = AskingVerifier(trust=lambda: None, statuses=lambda: StatusView({}), now=lambda: NOW)
        made.source = source
        return made

    def document(self):
        leaf = make_certificate(
            Profile.SEAL,
            ca_signer=CA_SIGNER,
            ca=CA,
            subject_key=self.LEAF_SIGNER.public_key,
            common_name="stranger",
            organisation="stranger",
            uscc=None,
            uri=None,
            not_before=NOW - DAY,
            not_after=NOW + 100 * DAY,
            revocation=RevocationUrls(OCSP_URL, None),
        )
        return leaf, sign(image(), signer=self.LEAF_SIGNER, certificate=leaf, timestamper=None)

    def test_what_is_missing_is_asked_for_and_counts(self):
        leaf, pdf = self.document()
        request = PolicyRequest(anchors=(CA,))
        alone = self.verifier(None).verify(pdf, request)
        assert hinges_on_revocation(alone)
        gone = Revoked(leaf.serial, NOW - DAY, Reason.KEY_COMPROMISE)
        crl = make_crl(CA_SIGNER, CA, [gone], number=1, this_update=NOW, next_update=NOW + DAY)
        asked = []

        def source(certificate, issuer):
            asked.append((certificate, issuer))
            return [crl]

        verifier = self.verifier(source)
        report = verifier.verify(pdf, request)
        assert asked == [(leaf, CA)]
        assert not hinges_on_revocation(report)
        assert report.indication is not Indication.PASSED
        assert verifier.verify_at_once(pdf, request) is None

    def test_nothing_is_asked_where_nothing_hinges_on_it(self):
        def source(certificate, issuer):
            raise AssertionError("asked")

        _, pdf = self.document()
        verifier = self.verifier(source)
        assert verifier.verify(pdf).indication is not Indication.PASSED  # no anchor: nobody to ask about
        assert verifier.verify_at_once(b"junk") is not None

    def test_certificates_that_a_file_brings_choose_nobody_whom_we_ask(self):
        """The attack: an authority of one's own in the file, whose certificates name the address to be called."""
        leaf, pdf = self.document()
        own = make_region(name="nobody")
        strangers = [own.certify(Profile.SEAL, SIGNER, revocation=RevocationUrls(OCSP_URL, None)) for _ in range(3)]
        pdf = update(pdf, lambda writer: add_store(writer, [own.ca, *strangers]))
        assert set(parse(pdf).pdf.validation_data.certificates) >= {own.ca, *strangers}
        asked = []
        self.verifier(lambda certificate, issuer: asked.append(certificate) or []).verify(
            pdf, PolicyRequest(anchors=(CA,))
        )
        assert asked == [leaf]

    def test_when_nobody_answers_the_verdict_stays(self):
        _, pdf = self.document()
        request = PolicyRequest(anchors=(CA,))
        assert hinges_on_revocation(self.verifier(lambda certificate, issuer: []).verify(pdf, request))


def test_a_server_asks_nobody_unless_its_settings_say_so():
    assert open_source(Settings()) is None
    assert open_source(Settings(revocation_fetch=True)) is not None
