"""What can be wrong with a CMS signature, a time-stamp or a signed PDF: one stable word for each. No verdicts here.

The members are text, and their values never change: reports and programs quote them.
"""

from __future__ import annotations

from enum import StrEnum


class SignatureProblem(StrEnum):
    """One thing that is not as it must be. What follows from it is the verifier's to say."""

    # Where the signature stands in the file (ISO 32000-2 clause 12.8.1)
    BYTE_RANGE_SHAPE = "byte range: shape"  # not two stretches: missing, one, six, negative, no numbers
    BYTE_RANGE_START = "byte range: start"  # does not begin with the file's first byte
    BYTE_RANGE_ORDER = "byte range: order"  # its stretches overlap, or stand in another order
    BYTE_RANGE_BEYOND = "byte range: beyond the file"  # ends after the file does
    BYTE_RANGE_GAP = "byte range: gap"  # leaves out something else, or more or less, than its Contents
    CONTENTS_MISSING = "byte range: contents missing"  # no Contents, or no string
    CONTENTS_INDIRECT = "byte range: contents indirect"  # Contents is another object
    CONTENTS_NOT_HEX = "byte range: contents not hex"  # the gap is no hexadecimal string of whole bytes
    CONTENTS_SHARED = "byte range: contents shared"  # an earlier field shows the same signature
    CONTENTS_ELSEWHERE = "byte range: contents elsewhere"  # the gap is not in this dictionary: compressed, moved
    SUB_FILTER = "sub-filter"  # a form of signature that is not known
    SUB_FILTER_OLD = "sub-filter: sha-1"  # adbe.x509.rsa_sha1 or adbe.pkcs7.sha1: SHA-1 by definition
    SIGNED_REVISION = "signed revision"  # the covered bytes are no document by themselves
    ATTACHMENTS = "attachments"  # of the signed bytes: more than can be read, or no tree of names
    TAIL = "bytes after the end"  # of no later revision
    CHANGES = "later changes"
    CHANGES_NOT_PERMITTED = "later changes that the signer did not permit"
    CHANGES_UNREADABLE = "later changes can't be compared"

    # The CMS (RFC 5652)
    CMS = "CMS"  # unreadable
    SEVERAL_SIGNERS = "CMS: several signers"  # or none: a PDF's signature has one (EN 319 142-1 clause 4.1)
    CONTENT_INSIDE = "content inside the CMS"  # it vouches for that, not for the file around it
    CONTENT_TYPE = "content inside the CMS: type"  # not that of plain data (of a time-stamp: not that of one)
    NO_SIGNED_ATTRIBUTES = "signed attributes missing"
    CONTENT_TYPE_ATTRIBUTE = "signed attributes: content type"  # missing, twice, or another
    MESSAGE_DIGEST_ATTRIBUTE = "signed attributes: message digest"  # missing, or twice
    DUPLICATE_ATTRIBUTES = "duplicate signed attributes"
    DIGEST_ALGORITHM = "digest algorithm"  # not known
    DIGEST = "digest"  # of something else than what is there
    ALGORITHM = "signature algorithm"  # not known, or not of this key
    ALGORITHM_MISMATCH = "algorithm mismatch"  # the digest is not the one that the signature algorithm names
    ALGORITHM_PROTECTION = "algorithm protection"  # RFC 6211: the signed attribute names other algorithms
    WEAK_ALGORITHM = "weak algorithm"  # retired: SHA-1, MD5, short keys
    SIGNATURE = "signature"  # not made by the certificate's key over this
    CERTIFICATE_MISSING = "certificate missing"
    CERTIFICATE_UNREADABLE = "certificate unreadable"  # the signer's may be among those that can't be read
    SIGNING_CERTIFICATE = "signing certificate attribute"  # unreadable, or twice
    SIGNING_CERTIFICATE_MISSING = "signing certificate attribute: none"  # as in most CMS that is not CAdES
    SIGNING_CERTIFICATE_SHA1 = "signing certificate attribute: sha-1"  # RFC 2634's, or V2 with a broken digest
    SIGNING_CERTIFICATE_DIFFERS = "signing certificate attribute: another certificate"
    SIGNING_TIME_DIFFERS = "signing times differ"  # the CMS and the dictionary

    # Time-stamps (RFC 3161)
    TIMESTAMP = "time-stamp"  # unreadable
    TIMESTAMPS = "time-stamps"  # more than one; the first that holds counts
    TIMESTAMP_BROKEN = "time-stamp: broken"  # its own signature or digest does not hold
    TIMESTAMP_ELSEWHERE = "time-stamp: of something else"  # copied, or moved
    TIMESTAMP_WEAK = "time-stamp: weak"  # made with retired algorithms
    KEY_USAGE = "extended key usage"  # not a time-stamper's certificate

    # The document security store (EN 319 142-1 clause 5.4.2)
    VALIDATION_DATA = "validation data"  # some of it is not what it should be, and is left out
    VALIDATION_DATA_TOO_MUCH = "validation data: too much"
