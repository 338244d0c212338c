"""The shared ledger: what others used counts, whatever process dies when, and it stays small."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.ground.disk import Disk
from agent_runner.limits.gate import Gate
from agent_runner.limits.ledger import SMALL, Ledger
from agent_runner.limits.ledger_lines import RESERVED, SETTLED, USED, LedgerLine, compacted, parse
from agent_runner.limits.room import Fits, Full, Need, Room
from agent_runner.model.errors import StorageError
from agent_runner.model.events import CallSettled
from agent_runner.model.meters import KEPT, Amount, Meters
from agent_runner.model.settings import Settings
from agent_runner.model.spending import Spending
from agent_runner.model.usage import Usage
from tests.limits.scene import MODEL, PROVIDER, at, settings
from tests.limits.spend_room import MOST
from tests.support.clocks import FakeClock
from tests.support.lossy import LossyDisk

NOW = at("2026-11-24 12:00")
NEED = Need(100, 50, 0.1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.jsonl"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


def used(meters: Meters, since: float = NOW - KEPT) -> Amount:
    tracks = meters.of(PROVIDER)
    return sum((track.since(since) for track in tracks), Amount())


def reserve(ledger: Ledger, call: str, tokens: int = 150) -> None:
    with ledger.held() as book:
        book.reserve(call, PROVIDER, MODEL, Amount(1, tokens, 0))


def settle(ledger: Ledger, call: str, usage: Usage | None, outcome: str = "answered") -> None:
    ledger.settle(CallSettled(call, outcome, PROVIDER, usage))


def test_a_project_sees_what_others_use_and_not_its_own(path: Path, clock: FakeClock) -> None:
    mine, other = Ledger(path, "a", clock), Ledger(path, "b", clock)
    reserve(mine, "c1")
    assert used(mine.others()) == Amount()
    assert used(other.others()) == Amount(1, 150)
    settle(mine, "c1", Usage(20, 5))
    assert used(other.others()) == Amount(1, 25)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("failed", Amount(1)), ("throttled", Amount(1)), ("lost", Amount(1, 150))],
)
def test_an_unanswered_call_counts_as_in_the_journal(
    path: Path, clock: FakeClock, outcome: str, expected: Amount
) -> None:
    mine = Ledger(path, "a", clock)
    reserve(mine, "c1")
    settle(mine, "c1", None, outcome)
    assert used(Ledger(path, "b", clock).others()) == expected


def test_a_crash_between_ledger_and_journal_counts_the_call_once(
    path: Path, clock: FakeClock
) -> None:
    reserve(Ledger(path, "a", clock), "c1")
    again = Ledger(
        path, "a", clock
    )  # the same state: its journal knows no c1, so the id comes again
    reserve(again, "c1", 120)
    assert used(Ledger(path, "b", clock).others()) == Amount(1, 120)
    settle(again, "c1", Usage(10, 0))
    settle(again, "c1", Usage(10, 0))
    assert used(Ledger(path, "b", clock).others()) == Amount(1, 10)


def test_reading_creates_nothing(path: Path, clock: FakeClock) -> None:
    assert Ledger(path, "a", clock).others() == Meters()
    assert not path.parent.exists()


def test_it_is_private(path: Path, clock: FakeClock) -> None:
    reserve(Ledger(path, "a", clock), "c1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("torn", [b'{"v":1,"kind":"rese', b"\0\0\0\0", b"{"])
def test_a_torn_line_is_cut(path: Path, clock: FakeClock, torn: bytes) -> None:
    mine = Ledger(path, "a", clock)
    reserve(mine, "c1")
    with path.open("ab") as file:
        file.write(torn)
    assert used(Ledger(path, "b", clock).others()) == Amount(1, 150)
    reserve(mine, "c2")
    assert used(Ledger(path, "b", clock).others()) == Amount(2, 300)
    assert torn not in path.read_bytes().split(b"\n")


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"v":2,"kind":"reserved"}',
        b'{"v":1,"kind":"reserved"}',
        b'{"v":1,"kind":"compacted","size":9x}',
    ],
)
def test_a_line_that_is_none_is_passed_over(path: Path, clock: FakeClock, damage: bytes) -> None:
    mine = Ledger(path, "a", clock)
    reserve(mine, "c1")
    with path.open("ab") as file:
        file.write(damage + b"\n")
    reserve(mine, "c2")
    assert used(Ledger(path, "b", clock).others()) == Amount(2, 300)


def test_a_ledger_that_was_deleted_is_begun_anew(path: Path, clock: FakeClock) -> None:
    mine, other = Ledger(path, "a", clock), Ledger(path, "b", clock)
    reserve(mine, "c1")
    assert used(other.others()).requests == 1
    path.unlink()
    reserve(mine, "c2")
    assert used(other.others()).requests == 1


def test_one_that_cannot_be_used_says_how_to_go_on(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")
    ledger = Ledger(tmp_path / "file" / "ledger.jsonl", "a", clock)
    with pytest.raises(StorageError) as caught:
        reserve(ledger, "c1")
    assert "ledger: false" in caught.value.fix


@pytest.mark.parametrize("kept", [0, 1, 60, 150, 400])
def test_a_power_cut_takes_no_reservation_away(
    tmp_path: Path, path: Path, clock: FakeClock, kept: int
) -> None:
    disk = LossyDisk(tmp_path)
    mine = Ledger(path, "a", clock, disk)
    reserve(mine, "c1")  # the file and its folder are new: their names must last as well
    reserve(mine, "c2")
    settle(mine, "c1", Usage(20, 5))
    disk.power_cut(keep=kept)
    after = used(Ledger(path, "b", clock).others())
    assert after in {Amount(2, 300), Amount(2, 175)}  # a lost settlement counts too much
    reserve(Ledger(path, "c", clock), "c1", tokens=1)  # what was torn is cut off
    assert used(Ledger(path, "b", clock).others()) == after + Amount(1, 1)


def test_a_power_cut_right_after_it_was_compacted_takes_nothing_away(
    tmp_path: Path, path: Path, clock: FakeClock
) -> None:
    disk = LossyDisk(tmp_path)
    mine, calls = Ledger(path, "a", clock, disk), 0
    while path.exists() is False or b"compacted" not in path.read_bytes()[:40]:
        calls += 1
        reserve(mine, f"call-{calls:0200}")
    disk.power_cut()
    assert used(Ledger(path, "b", clock).others()) == Amount(calls, 150 * calls)


def test_a_read_only_home_is_read_and_says_what_it_refuses(path: Path, clock: FakeClock) -> None:
    class ReadOnly(Disk):
        def open_append(self, path: Path) -> int:
            raise OSError(errno.EROFS, "Read-only file system")

    reserve(Ledger(path, "a", clock), "c1")
    other = Ledger(path, "b", clock, ReadOnly())
    assert used(other.others()) == Amount(1, 150)
    with pytest.raises(StorageError, match="the file system is read-only"):
        reserve(other, "c1")
    assert used(other.others()) == Amount(1, 150)


@pytest.mark.parametrize("written", [0, 10, 100])
def test_a_full_home_refuses_the_call_and_goes_on_once_there_is_room(
    path: Path, clock: FakeClock, written: int
) -> None:
    class Full(Disk):
        def write(self, descriptor: int, content: bytes) -> None:
            super().write(descriptor, content[:written])
            raise OSError(errno.ENOSPC, "No space left on device")

    reserve(Ledger(path, "a", clock), "c1")
    with pytest.raises(StorageError, match="the disk is full"):
        reserve(Ledger(path, "a", clock, Full()), "c2")
    other = Ledger(path, "b", clock)
    assert used(other.others()) == Amount(1, 150)
    reserve(Ledger(path, "a", clock), "c2")
    assert used(other.others()) == Amount(2, 300)


@given(data=st.data())
def test_a_flipped_bit_costs_a_line_or_two_and_never_the_rest(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, clock = tmp_path_factory.mktemp("ledger") / "ledger.jsonl", FakeClock(NOW)
    mine = Ledger(path, "a", clock)
    for number in range(8):
        reserve(mine, f"c{number}")
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    left = used(Ledger(path, "b", clock).others())
    assert left in {Amount(n, 150 * n) for n in (6, 7, 8)}
    reserve(Ledger(path, "c", clock), "c1")


def test_a_line_without_a_checksum_is_one_of_an_earlier_release(
    path: Path, clock: FakeClock
) -> None:
    old = (
        b'{"v":1,"kind":"reserved","owner":"a","call":"c1","at":%d.0,"provider":"%b","model":"%b",'
        b'"requests":1,"tokens":150,"nanodollars":0}\n'
    ) % (NOW, PROVIDER.encode(), MODEL.encode())
    path.parent.mkdir()
    path.write_bytes(old)
    mine = Ledger(path, "a", clock)
    assert used(Ledger(path, "b", clock).others()) == Amount(1, 150)
    settle(mine, "c1", Usage(10, 0))
    assert used(Ledger(path, "b", clock).others()) == Amount(1, 10)


def test_it_is_kept_small_and_counts_the_same_after(path: Path, clock: FakeClock) -> None:
    mine, other = Ledger(path, "a", clock), Ledger(path, "b", clock)
    largest, calls = 0, 0
    for _ in range(150):
        for _ in range(10):
            calls += 1
            reserve(mine, f"c{calls}")
            settle(mine, f"c{calls}", Usage(10, 0))
        largest = max(largest, path.stat().st_size)
        clock.at += 86_400 / 4
    assert largest < SMALL + 20_000
    fresh = Ledger(path, "b", clock).others()
    for days in (1, 3, 7):
        since = clock.at - days * 86_400.0 - 3600.0
        assert used(fresh, since) == used(other.others(), since) == Amount(40 * days, 400 * days)


def test_the_gate_counts_others_in_the_decision(path: Path, clock: FakeClock) -> None:
    limited = settings(max_requests_hour=2)
    first, second = (Gate(limited, clock, Ledger(path, name, clock)) for name in ("a", "b"))
    alone = Gate(limited, clock)

    def admit(gate: Gate, call: str) -> Room:
        return gate.admit(Spending(), call, PROVIDER, MODEL, NEED, task="T1")

    assert admit(first, "c1") == admit(first, "c2") == Fits()
    refused = admit(second, "c1")
    assert isinstance(refused, Full)
    assert refused.not_before == NOW + 3600
    assert used(first.others()) == Amount()
    assert admit(alone, "c1") == Fits()
    first.settle(CallSettled("c1", "answered", PROVIDER, Usage(1, 1)))
    assert used(second.others()).tokens == 152
    assert Gate(Settings(), clock).today() == Gate(settings(zone="UTC"), clock).today()[:10]


def spend(path: Path, owner: str, wanted: int) -> subprocess.Popen[str]:
    program = Path(__file__).with_name("spend_room.py")
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, str(program), str(path), owner, str(wanted)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )


def test_processes_side_by_side_never_share_the_same_room(path: Path) -> None:
    running = [spend(path, f"p{n}", 25) for n in range(3)]
    through = [line for process in running for line in process.communicate()[0].split()]
    assert len(through) == MOST
    assert len(set(through)) == MOST


@pytest.mark.crash
def test_a_process_killed_anywhere_loses_no_reservation(path: Path, clock: FakeClock) -> None:
    victim = spend(path, "victim", 1000)
    assert victim.stdout is not None
    seen = [victim.stdout.readline().strip() for _ in range(7)]
    victim.send_signal(signal.SIGKILL)
    seen += victim.communicate()[0].split()
    whole = [line for raw in path.read_bytes().split(b"\n") if (line := parse(raw))]
    assert {line.key for line in whole} >= set(seen)
    survivor = spend(path, "survivor", MOST)
    through = survivor.communicate()[0].split()
    assert len(through) == MOST - len(whole)


amounts = st.builds(Amount, st.integers(0, 2), st.integers(0, 50), st.integers(0, 50))
entries = st.lists(
    st.tuples(
        st.sampled_from((RESERVED, SETTLED)),
        st.sampled_from("ab"),
        st.sampled_from(("c1", "c2", "c3", "c4")),
        st.integers(-90_000, 400_000),
        amounts,
    ),
    max_size=30,
)


@given(entries, st.integers(0, 300_000))
def test_compacted_lines_count_as_the_whole_file_does(
    found: list[tuple[str, str, str, int, Amount]], later: int
) -> None:
    lines, now = [], NOW
    for kind, owner, call, step, amount in found:
        now += step / 10
        reserved = Amount(1, amount.tokens, amount.nanodollars)
        lines.append(
            LedgerLine(
                kind, owner, call, now, PROVIDER, MODEL, amount if kind == SETTLED else reserved
            )
        )
    now += later
    before, after = Meters(), Meters()
    for line in lines:
        line.count_in(before)
    shorter = compacted(lines, now)
    for line in shorter:
        assert parse(line.render()) == line
        line.count_in(after)
    for meters in (before, after):
        meters.turn_back(now)
    for start in (now - 7 * 86_400.0, now - 60.0):
        exact, coarse = used(before, start), used(before, start - 60.0)
        assert exact.tokens <= used(after, start).tokens <= max(coarse.tokens, exact.tokens)
    assert compacted(shorter, now) == shorter


def test_old_settled_calls_become_one_line_a_minute() -> None:
    lines = [
        LedgerLine(kind, "a", f"c{n}", NOW + n, PROVIDER, MODEL, Amount(1, 10))
        for n in range(50)
        for kind in (RESERVED, SETTLED)
    ]
    (one,) = compacted(lines, NOW + 3600)
    assert one == LedgerLine(USED, "a", "", NOW + 49, PROVIDER, MODEL, Amount(50, 500))
    assert compacted(lines, NOW + KEPT + 60) == []
    assert json.loads(one.render())["v"] == 1


def test_cached_tokens_reach_other_projects_and_lines_of_before_have_none(
    path: Path, clock: FakeClock
) -> None:
    mine, other = Ledger(path, "a", clock), Ledger(path, "b", clock)
    reserve(mine, "c1")
    assert b"cached" not in path.read_bytes()
    settle(mine, "c1", Usage(100, 20, cached=80))
    assert used(other.others()) == Amount(1, 120, cached=80)
    lines = [parse(line) for line in path.read_bytes().splitlines()]
    [kept] = compacted([line for line in lines if line], NOW + 3600)
    assert kept.amount == Amount(1, 120, cached=80)
    assert parse(kept.render()) == kept
