"""A region's witness: every answer of the specification, and that no crash makes it forget what it cosigned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from keys.algorithms import EDDSA
from keys.envelopes.signed_note import (
    NoteKeyKind,
    NoteSignature,
    merged_note,
    note_key,
    parse_note_key,
    sign_note,
    verify_note,
)
from keys.errors import MalformedEnvelope
from keys.signer import EphemeralSigner
from tests.interop.second_log_verifier import open_note, read_checkpoint
from trust_registry import durable
from trust_registry.errors import FetchFailed, LogDamaged
from trust_registry.log.checkpoint import Checkpoint, SignedCheckpoint, parse_checkpoint
from trust_registry.log.cosigning import collect_cosignatures, request_body
from trust_registry.log.merkle import EMPTY_ROOT
from trust_registry.log.proofs import TreeReader, folder_tiles
from trust_registry.log.routes import witness_router
from trust_registry.log.submitting import MAX_ANSWER, http_submit
from trust_registry.log.witness import MAX_REQUEST, WitnessAnswer, parse_add_checkpoint
from trust_registry.log.witness_store import Witness
from trust_registry.log.writer import Tree, append

ORIGIN, NAME = "log.test/one", "witness.test/w"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOG, KEY = EphemeralSigner.generate(EDDSA), EphemeralSigner.generate(EDDSA)
LOG_KEY = note_key(ORIGIN, NoteKeyKind.ED25519, LOG.public_key)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    committed = 0
    for size in (*range(1, 61), 300, 500, 600):
        append(folder, committed, [b"%d" % number for number in range(committed, size)])
        committed = size
    return folder


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(NAME, KEY, [LOG_KEY], tmp_path / "w", lambda: NOW)


def signed(folder: Path, size: int, *, root: bytes | None = None, origin: str = ORIGIN, signer: object = LOG) -> bytes:
    checkpoint = Checkpoint(origin, size, root or TreeReader(folder_tiles(folder), size).root())
    return merged_note(checkpoint.text, [sign_note(checkpoint.text, origin, signer)]).to_bytes()  # type: ignore[arg-type]


def request(folder: Path, old: int, size: int, **changes: object) -> bytes:
    return request_body(
        old, TreeReader(folder_tiles(folder), size).consistency_proof(old), signed(folder, size, **changes)
    )  # type: ignore[arg-type]


def test_a_consistent_checkpoint_is_cosigned_at_the_witnesss_time(witness: Witness, tree: Path) -> None:
    for old, size in ((0, 1), (1, 300), (300, 300), (300, 600)):
        answer = witness.add_checkpoint(request(tree, old, size))
        assert answer.status == 200
        note = signed(tree, size).decode() + answer.body.decode()
        assert open_note(note, str(witness.key)) == int(NOW.timestamp())
        assert open_note(note, str(LOG_KEY)) is None
        assert read_checkpoint(note) == (ORIGIN, size, TreeReader(folder_tiles(tree), size).root())
    kept = witness.latest(sha256(ORIGIN.encode()).hexdigest())
    assert kept is not None
    assert kept.decode() == note
    assert witness.latest(sha256(b"another").hexdigest()) is None


def test_an_unknown_origin_is_404_and_an_unsigned_one_403(witness: Witness, tree: Path) -> None:
    assert witness.add_checkpoint(request(tree, 0, 5, origin="log.test/two")).status == 404
    stranger = EphemeralSigner.generate(EDDSA)
    assert witness.add_checkpoint(request(tree, 0, 5, signer=stranger)).status == 403
    text = parse_checkpoint(signed(tree, 5)).note.text
    forged = merged_note(text, [NoteSignature(ORIGIN, LOG_KEY.key_id, bytes(64))]).to_bytes()
    assert witness.add_checkpoint(request_body(0, (), forged)).status == 403
    both = merged_note(text, [sign_note(text, ORIGIN, LOG), NoteSignature("else", b"1234", bytes(64))]).to_bytes()
    assert witness.add_checkpoint(request_body(0, (), both)).status == 200


def test_an_old_size_that_is_not_what_it_knows_is_409_with_the_size(witness: Witness, tree: Path) -> None:
    """MUST respond with 409, the body the tree size in decimal and a newline, type text/x.tlog.size."""
    assert witness.add_checkpoint(request(tree, 3, 5)) == WitnessAnswer(409, b"0\n", "text/x.tlog.size")
    witness.add_checkpoint(request(tree, 0, 5))
    assert witness.add_checkpoint(request(tree, 0, 9)) == WitnessAnswer(409, b"5\n", "text/x.tlog.size")
    assert witness.add_checkpoint(request(tree, 3, 4)).status == 409
    assert witness.add_checkpoint(request_body(6, (), signed(tree, 5))).status == 400


def test_what_is_not_consistent_is_422(witness: Witness, tree: Path) -> None:
    empty = request_body(0, (), signed(tree, 0, root=EMPTY_ROOT))
    assert witness.add_checkpoint(request_body(0, (), signed(tree, 0, root=bytes(32)))).status == 422
    assert witness.add_checkpoint(empty).status == 200
    assert witness.add_checkpoint(request_body(0, (bytes(32),), signed(tree, 5))).status == 422
    assert witness.add_checkpoint(request(tree, 0, 5)).status == 200
    assert witness.add_checkpoint(request(tree, 5, 5, root=bytes(32))).status == 422
    assert witness.add_checkpoint(request(tree, 5, 9, root=bytes(32))).status == 422
    assert witness.add_checkpoint(request_body(5, (), signed(tree, 9))).status == 422
    assert witness.add_checkpoint(request(tree, 5, 9)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"new 0\n\n",
        b"old 00\n\n",
        b"old -1\n\n",
        b"old 9223372036854775808\n\n",
        b"old 0\nAAAA\n\n",
        b"old 0\n\xff\n\n",
        b"old 0\n" + b64encode(bytes(32)) + b" \n\n",
        b"old 1\n" + (b64encode(bytes(32)) + b"\n") * 64 + b"\n",
        b"old 0" + bytes(MAX_REQUEST),
    ],
)
def test_what_is_no_request_is_400(witness: Witness, tree: Path, body: bytes) -> None:
    assert witness.add_checkpoint(body + (signed(tree, 5) if len(body) < MAX_REQUEST else b"")).status == 400


@pytest.mark.parametrize(
    "text", ["log\n5\n", "log\n05\nx\n", "log\n5\nAAAA\n", "\n5\n" + b64encode(bytes(32)).decode() + "\n"]
)
def test_a_note_that_is_no_checkpoint_is_400(witness: Witness, text: str) -> None:
    note = merged_note(text, [sign_note(text, ORIGIN, LOG)]).to_bytes()
    assert witness.add_checkpoint(request_body(0, (), note)).status == 400


PIECES = st.sampled_from([b"old ", b"0", b"5", b"\n", b"\n\n", b64encode(bytes(32)), "— a b".encode(), b"log", b"\xff"])


@settings(deadline=None, max_examples=200)
@given(st.lists(PIECES, max_size=14).map(b"".join) | st.binary(max_size=100))
def test_any_bytes_are_a_request_or_malformed(body: bytes) -> None:
    try:
        found = parse_add_checkpoint(body)
    except MalformedEnvelope:
        return
    assert request_body(found.old_size, found.path, found.signed.note.to_bytes()) == body


def test_the_record_is_on_the_disk_before_the_cosignature_leaves(
    witness: Witness, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MUST persist the new checkpoint before responding: a disk that fails means no cosignature."""

    def power_cut(_: int) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(durable.os, "fsync", power_cut)
        with pytest.raises(OSError, match="power cut"):
            witness.add_checkpoint(request(tree, 0, 5))
    assert witness.add_checkpoint(request(tree, 0, 3)).status == 200


def test_a_witness_that_starts_again_knows_what_it_cosigned(witness: Witness, tree: Path, tmp_path: Path) -> None:
    witness.add_checkpoint(request(tree, 0, 500))
    again = Witness(NAME, KEY, [LOG_KEY], tmp_path / "w", lambda: NOW)
    assert again.add_checkpoint(request(tree, 0, 5)).body == b"500\n"


def test_a_damaged_record_stops_the_witness_instead_of_starting_anew(
    witness: Witness, tree: Path, tmp_path: Path
) -> None:
    witness.add_checkpoint(request(tree, 0, 5))
    (path,) = (tmp_path / "w").glob("*.checkpoint")
    whole = path.read_bytes()
    foreign = Witness(NAME, EphemeralSigner.generate(EDDSA), [LOG_KEY], tmp_path / "w", lambda: NOW)
    with pytest.raises(LogDamaged, match="not its own"):
        foreign.add_checkpoint(request(tree, 5, 9))
    for damage in (b"", whole[:-3], whole.replace(b"\n5\n", b"\n3\n")):
        path.write_bytes(damage)
        with pytest.raises(LogDamaged, match="damaged"):
            witness.add_checkpoint(request(tree, 5, 9))
    path.unlink()
    path.mkdir()
    with pytest.raises(LogDamaged, match="can't be read"):
        witness.add_checkpoint(request(tree, 5, 9))


def test_two_logs_at_once_never_get_two_trees_of_one_size(witness: Witness, tree: Path, tmp_path: Path) -> None:
    """The race of the specification: check and record are one step, in one process and in several."""
    other = Witness(NAME, KEY, [LOG_KEY], tmp_path / "w", lambda: NOW)
    answers: list[int] = []

    def ask(who: Witness, size: int) -> None:
        answers.append(who.add_checkpoint(request(tree, 0, size)).status)

    threads = [threading.Thread(target=ask, args=(who, size)) for size in range(1, 9) for who in (witness, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 15


SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from keys.envelopes.signed_note import parse_note_key
from keys.custody.software import open_key_file
from trust_registry.log.witness_store import Witness
key = open_key_file(Path(sys.argv[2]), b"x")
witness = Witness("witness.test/w", key, [parse_note_key(sys.argv[3])], Path(sys.argv[1]), lambda: datetime.now(UTC))
print("ready", flush=True)
while header := sys.stdin.buffer.readline():
    body = sys.stdin.buffer.read(int(header))
    answer = witness.add_checkpoint(body)
    print(answer.status, answer.body.decode().split()[0] if answer.status == 409 else "", flush=True)
"""


@pytest.mark.torture
def test_kill_9_at_any_moment_rolls_nothing_back(tree: Path, tmp_path: Path) -> None:
    from keys.custody.software import create_key_file

    path = tmp_path / "w.key"
    create_key_file(path, EDDSA, b"x", demo=True)
    acknowledged = 0
    for round_ in range(6):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "state"), str(path), str(LOG_KEY)]
        # Unbuffered: closing the pipe of a killed process then has nothing left to write, and can't fail.
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            known = acknowledged
            timer = threading.Timer(0.01 + 0.02 * round_, os.kill, (child.pid, signal.SIGKILL))
            timer.start()
            for size in range(known + 1, 61):
                body = request(tree, known, size)
                try:
                    child.stdin.write(b"%d\n" % len(body) + body)
                    child.stdin.flush()
                except BrokenPipeError:
                    break
                words = child.stdout.readline().split()
                if not words:
                    break
                if words[0] == b"409":  # it recorded one that it could not acknowledge: never an older one
                    assert int(words[1]) in (known, known + 1)
                    assert int(words[1]) >= acknowledged
                    known = int(words[1])
                    continue
                assert words[0] == b"200"
                known = acknowledged = size
            timer.join()
    assert acknowledged > 0


@pytest.fixture
def client(witness: Witness) -> TestClient:
    app = FastAPI()
    app.include_router(witness_router({"w": witness}))
    return TestClient(app)


def test_over_http_the_answers_are_those_of_the_specification(client: TestClient, tree: Path) -> None:
    digest = sha256(ORIGIN.encode()).hexdigest()
    assert client.get(f"/witness/w/{digest}/checkpoint").status_code == 404
    answer = client.post("/witness/w/add-checkpoint", content=request(tree, 3, 5))
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (409, "0\n", "text/x.tlog.size")
    assert client.post("/witness/w/add-checkpoint", content=request(tree, 0, 5)).status_code == 200
    assert client.post("/witness/x/add-checkpoint", content=request(tree, 0, 5)).status_code == 404
    assert client.post("/witness/w/add-checkpoint", content=bytes(MAX_REQUEST + 1)).status_code == 400
    assert client.get("/witness/w/add-checkpoint").status_code == 405
    assert client.get(f"/witness/x/{digest}/checkpoint").status_code == 404
    assert parse_checkpoint(client.get(f"/witness/w/{digest}/checkpoint").content).checkpoint.size == 5


def test_the_logs_side_asks_again_with_the_size_that_the_witness_knows(witness: Witness, tree: Path) -> None:
    witness.add_checkpoint(request(tree, 0, 5))
    found = collect(tree, 300, {"w": witness.add_checkpoint})
    assert found.missing == {}
    assert verify_note(merged_note(found.text, found.signatures), [witness.key])[0].signed_at == NOW


class Collected:
    def __init__(self, text: str, signatures: object, missing: object) -> None:
        self.text, self.signatures, self.missing = text, signatures, missing


def collect(tree: Path, size: int, submits: dict[str, object]) -> Collected:
    head: SignedCheckpoint = parse_checkpoint(signed(tree, size))
    keys = {note_key(NAME, NoteKeyKind.COSIGNATURE, KEY.public_key): submit for submit in submits.values()}
    found = collect_cosignatures(head, keys, folder_tiles(tree), {})  # type: ignore[arg-type]
    return Collected(head.note.text, found.signatures, found.missing)


def test_a_witness_that_answers_nonsense_is_only_missing(tree: Path) -> None:
    stranger = EphemeralSigner.generate(EDDSA)
    text = parse_checkpoint(signed(tree, 5)).note.text
    own = note_key(NAME, NoteKeyKind.COSIGNATURE, KEY.public_key)
    lines = {
        "answered 500": WitnessAnswer(500, b""),
        "answered 409 without a size": WitnessAnswer(409, b"five\n"),
        "answered 409 again and again": WitnessAnswer(409, b"4\n"),
        "has seen 9 entries": WitnessAnswer(409, b"9\n"),
        "its answer is not valid": WitnessAnswer(200, b"thanks\n"),
        "answered without its cosignature": WitnessAnswer(200, sign_note(text, NAME, stranger).line().encode()),
        f"{NAME} does not hold": WitnessAnswer(200, NoteSignature(NAME, own.key_id, bytes(72)).line().encode()),
    }
    for words, answer in lines.items():
        found = collect(tree, 5, {"w": lambda _, answer=answer: answer})
        assert found.signatures == ()
        assert words in found.missing[NAME]  # type: ignore[index]
    assert "nobody said" in collect(tree, 5, {"w": None}).missing[NAME]  # type: ignore[index]
    assert collect(tree, 5, {}).missing == {}


def test_witnesses_are_asked_over_http_within_bounds(tree: Path) -> None:
    def handler(asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/slow/add-checkpoint":
            raise httpx.ReadTimeout("too slow")
        size = MAX_ANSWER + 1 if asked.url.path == "/large/add-checkpoint" else 3
        return httpx.Response(200, content=bytes(size), headers={"content-type": "text/plain"})

    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        assert http_submit(http, "http://w/small/")(b"x") == WitnessAnswer(200, bytes(3), "text/plain")
        with pytest.raises(FetchFailed, match="larger"):
            http_submit(http, "http://w/large")(b"x")
        with pytest.raises(FetchFailed, match="ReadTimeout"):
            http_submit(http, "http://w/slow")(b"x")


def test_the_specifications_own_request_is_read() -> None:
    body = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501
    found = parse_add_checkpoint(body.encode())
    assert (found.old_size, len(found.path)) == (20852014, 4)
    assert found.signed.checkpoint.tree == Tree(20852163, found.signed.checkpoint.root_hash)
    assert parse_note_key(str(LOG_KEY)) == LOG_KEY
