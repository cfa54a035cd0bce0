"""What changes after a signature mean for it: what was signed must be what is shown.

Validation data, document time-stamps and metadata show nothing. A further signature is judged by itself. Filled forms
and notes on top leave what was signed readable beneath: both can be looked at, so nobody here decides. Everything else
may show what was never signed.
Spec: ISO 32000-2 clause 12.8.2.2; EN 319 142-1 clause 5.4; docs/verdicts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from keys.envelopes.pades import Change, ChangeKind, Modification
from verifier.core.findings import failed, unknown
from verifier.model import Check, Finding, SubIndication

_INTEGRITY: Final = Check.INTEGRITY
_WRONG: Final = SubIndication.FORMAT_FAILURE
_UNSURE: Final = SubIndication.SIG_CONSTRAINTS_FAILURE

_QUIET: Final = frozenset({ChangeKind.VALIDATION_DATA, ChangeKind.DOCUMENT_TIMESTAMP, ChangeKind.METADATA})
# In the order in which they are told: the worst first.
_FAILED: Final[Mapping[ChangeKind, Finding]] = MappingProxyType(
    {
        ChangeKind.HIDDEN: failed(_INTEGRITY, "hidden_content_shown", _WRONG),
        ChangeKind.PAGE_CONTENT: failed(_INTEGRITY, "page_changed", _WRONG),
        ChangeKind.PAGE_REMOVED: failed(_INTEGRITY, "page_removed", _WRONG),
        ChangeKind.PAGE_ADDED: failed(_INTEGRITY, "page_added", _WRONG),
        ChangeKind.PAGE_ORDER: failed(_INTEGRITY, "page_order_changed", _WRONG),
        ChangeKind.SIGNATURE_CHANGED: failed(_INTEGRITY, "signature_changed", _WRONG),
        ChangeKind.ATTACHMENT: failed(_INTEGRITY, "attachment_changed", _WRONG),
        ChangeKind.ACTION: failed(_INTEGRITY, "action_added", _WRONG),
        ChangeKind.STRUCTURE: failed(_INTEGRITY, "changed_after_sealing", _WRONG),
        ChangeKind.UNREADABLE: failed(_INTEGRITY, "changes_unreadable", _WRONG),
    }
)
_NOT_PERMITTED: Final[Mapping[ChangeKind, Finding]] = MappingProxyType(
    {
        ChangeKind.FORM_VALUE: failed(_INTEGRITY, "form_filled_against_seal", _WRONG),
        ChangeKind.ANNOTATION: failed(_INTEGRITY, "note_added_against_seal", _WRONG),
        ChangeKind.SIGNATURE: failed(_INTEGRITY, "signature_added_against_seal", _WRONG),
    }
)
_DOUBTS: Final[Mapping[ChangeKind, Finding]] = MappingProxyType(
    {
        ChangeKind.ANNOTATION: unknown(_INTEGRITY, "note_added_after_sealing", _UNSURE),
        ChangeKind.FORM_VALUE: unknown(_INTEGRITY, "form_filled_after_sealing", _UNSURE),
    }
)
_MODIFICATIONS: Final[Mapping[Modification, Finding]] = MappingProxyType(
    {
        Modification.OTHER: _FAILED[ChangeKind.STRUCTURE],
        Modification.FORM: _DOUBTS[ChangeKind.FORM_VALUE],
    }
)


def check_changes(changes: Sequence[Change], modification: Modification, *, certified: bool) -> Finding | None:
    """The worst that the changes since a signature mean; None if nothing alarms.

    `certified`: somebody certified the document, so that what is not permitted is forbidden; without that a note is
    neither. `modification` speaks where the changes were not told apart.
    """
    if not changes:
        return _MODIFICATIONS.get(modification)
    kinds = {change.kind for change in changes} - _QUIET
    for kind, finding in _FAILED.items():
        if kind in kinds:
            return finding
    forbidden = {change.kind for change in changes if not change.permitted}
    for kind, finding in _NOT_PERMITTED.items():
        if kind in forbidden and (certified or kind is not ChangeKind.ANNOTATION):
            return finding
    return next((finding for kind, finding in _DOUBTS.items() if kind in kinds), None)
