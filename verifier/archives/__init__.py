"""Case files: evidence with its verdict and all that the verdict rests on, in one container that outlives us all.

`filing` collects what a verdict rested on, `making` puts it together, `reading` takes it apart, `judging` asks what it
proves today, `renewing` keeps it alive.
"""

from __future__ import annotations

from verifier.archives.filing import CaseMaker
from verifier.archives.judging import CaseVerdict, proofs_from_case_file, verify_case_file
from verifier.archives.making import make_case_file
from verifier.archives.model import CaseFile
from verifier.archives.reading import is_case_file, read_case_file
from verifier.archives.renewing import renew_case_file, renewal_due

__all__ = [
    "CaseFile",
    "CaseMaker",
    "CaseVerdict",
    "is_case_file",
    "make_case_file",
    "proofs_from_case_file",
    "read_case_file",
    "renew_case_file",
    "renewal_due",
    "verify_case_file",
]
