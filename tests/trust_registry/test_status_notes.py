"""Why an entry is not VALID and since when: docs/adr/0006. Notes never make a status readable or unreadable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.signer import EphemeralSigner
from trust_registry.model import CertificateStatus, StatusList, StatusNote, StatusNotes, StatusReason
from trust_registry.status_list import make_status_token, new_status_list, parse_status_token
from trust_registry.status_notes import note_at_index, pack_notes

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIZE = 4096
notes_by_index = st.dictionaries(
    st.integers(0, SIZE - 1),
    st.builds(
        StatusNote,
        st.sampled_from([*StatusReason, None]),
        st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    ),
    max_size=40,
)


def marked(notes: dict[int, StatusNote]) -> StatusList:
    builder = new_status_list(SIZE)
    for index in notes:
        builder.set(index, CertificateStatus.INVALID if index % 2 else CertificateStatus.SUSPENDED)
    return builder.freeze()


@given(notes_by_index, st.integers(0, SIZE - 1))
def test_every_note_is_found_at_its_index_and_nowhere_else(notes: dict[int, StatusNote], elsewhere: int) -> None:
    statuses, packed = marked(notes), pack_notes(notes)
    for index, note in notes.items():
        assert note_at_index(statuses, packed, index) == note
    assert note_at_index(statuses, packed, elsewhere) == notes.get(elsewhere)


def test_notes_travel_in_the_token() -> None:
    notes = {7: StatusNote(StatusReason.CORRECTION, NOON), 4000: StatusNote(StatusReason.UNDER_REVIEW, NOON)}
    token = make_status_token(
        marked(notes),
        notes=pack_notes(notes),
        uri="https://east.example/status/1",
        signer=EphemeralSigner.generate(ES256),
        issued_at=NOON,
        expires_at=NOON + timedelta(days=1),
        ttl=timedelta(minutes=10),
    )
    read = parse_status_token(token)
    assert note_at_index(read.statuses, read.notes, 4000) == notes[4000]


def test_notes_that_do_not_fit_the_list_say_nothing() -> None:
    notes = {7: StatusNote(StatusReason.CORRECTION, NOON)}
    statuses, packed = marked(notes), pack_notes(notes)
    assert note_at_index(statuses, StatusNotes(packed.reasons, packed.columns[:-1]), 7) is None
    assert note_at_index(statuses, StatusNotes((), packed.columns), 7) == StatusNote(None, NOON)
    assert note_at_index(statuses, StatusNotes(("unheard_of",), packed.columns), 7) == StatusNote(None, NOON)
    assert note_at_index(StatusList(1, statuses.data), packed, 7) is None
    assert note_at_index(statuses, packed, SIZE) is None
    assert note_at_index(statuses, None, 7) is None


def test_ten_thousand_notes_cost_about_four_bytes_each() -> None:
    notes = {
        index * 13: StatusNote(StatusReason.SUPERSEDED, NOON - timedelta(seconds=index * 7919))
        for index in range(10_000)
    }
    builder = new_status_list(131_072)
    for index in notes:
        builder.set(index, CertificateStatus.INVALID)

    def size(with_notes: StatusNotes | None) -> int:
        return len(
            make_status_token(
                builder.freeze(),
                notes=with_notes,
                uri="https://east.example/status/1",
                signer=EphemeralSigner.generate(ES256),
                issued_at=NOON,
                expires_at=NOON + timedelta(days=1),
                ttl=timedelta(minutes=10),
            )
        )

    assert (size(pack_notes(notes)) - size(None)) / len(notes) < 5.5  # base64url twice over
