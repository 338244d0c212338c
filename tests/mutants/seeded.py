"""The mistakes, each with the few tests that notice it.

The text to replace stands once in its file; where it does not any more, the mutant is renewed.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One mistake: in `file`, `good` becomes `bad`; one of `tests` (pytest's names) fails then."""

    title: str
    file: str
    good: str
    bad: str
    tests: tuple[str, ...]


_POWER = "tests/store/test_power.py"
_JOURNAL = "tests/store/test_journal.py"
_COMMIT = "tests/workspace/test_commit.py"
_BLOBS = "tests/store/test_blobs.py"
_STORE = "tests/store/test_store.py"
_START = "            work.journal(question.started)\n"
_CALL = "_Call(work, request, stored, provider, files, copy=copy)"
_SEND = f"await self._send({_CALL})"
_CALLS = "tests/engine/test_calls.py"
_APPLYING = "tests/engine/test_applying.py"
_COSTS = "tests/engine/test_costs.py::test_a_task_waits_for_the_disk_twelve_times"

MUTANTS = (
    Mutant(
        "the journal is never synced",
        "agent_runner/store/journal.py",
        "                self.disk.sync(self._descriptor)\n            except",
        "                pass\n            except",
        (f"{_POWER}::test_what_was_synced_is_there_from_the_first_entry_on",),
    ),
    Mutant(
        "a new journal's name is not synced",
        "agent_runner/store/journal.py",
        "                disk.sync_folder(path.parent)",
        "                pass",
        (f"{_POWER}::test_what_was_synced_is_there_from_the_first_entry_on",),
    ),
    Mutant(
        "a killed run's records are gone on from before they are synced",
        "agent_runner/store/journal.py",
        "            disk.sync(descriptor)\n            if is_new",
        "            if is_new",
        (f"{_POWER}::test_what_a_killed_run_left_unsynced_is_durable_before_it_is_gone_on_from",),
    ),
    Mutant(
        "a record is written before what it refers to is synced",
        "agent_runner/store/journal.py",
        "        self.blobs.sync()\n",
        "",
        (f"{_POWER}::test_a_record_that_survives_refers_to_nothing_that_is_lost",),
    ),
    Mutant(
        "a failed sync is tried again",
        "agent_runner/store/journal.py",
        '                self._broken = "an earlier sync failed"\n',
        "",
        (f"{_JOURNAL}::test_a_failed_sync_is_never_tried_again",),
    ),
    Mutant(
        "half a record stays when the disk is full",
        "agent_runner/store/journal.py",
        "                self._cut_back()\n",
        "",
        (f"{_JOURNAL}::test_a_full_disk_leaves_whole_records_only",),
    ),
    Mutant(
        "damage before good records passes for a torn tail",
        "agent_runner/store/journal.py",
        "if synced is not None and synced >= lost:",
        "if False:",
        (f"{_JOURNAL}::test_a_flipped_byte_before_synced_records_is_damage",),
    ),
    Mutant(
        "records are not chained",
        "agent_runner/store/journal.py",
        " and line.prev == self.position.crc",
        "",
        (f"{_JOURNAL}::test_a_record_of_another_journal_spliced_in_is_damage",),
    ),
    Mutant(
        "a record's checksum is not checked",
        "agent_runner/store/codec.py",
        """    crc = f"{zlib.crc32(body):08x}"
    if tail != b',"crc":"%s"}' % crc.encode():
        return None
    members""",
        """    crc = tail[8:16].decode()
    members""",
        (f"{_JOURNAL}::test_a_flipped_byte_before_synced_records_is_damage",),
    ),
    Mutant(
        "git commits before the journal knows of it",
        "agent_runner/workspace/own_index.py",
        """            if on_start is not None:
                on_start(process.pid)
            with contextlib.suppress(BrokenPipeError):  # it was ended meanwhile
                os.write(gate, b"\\n")
""",
        """            os.write(gate, b"\\n")
            if on_start is not None:
                on_start(process.pid)
""",
        (f"{_COMMIT}::test_git_does_nothing_before_it_is_known_that_it_was_started",),
    ),
    Mutant(
        "the torn tail is cut and not set aside",
        "agent_runner/store/store.py",
        "        disk.write_file(aside, file.read())\n",
        "        pass\n",
        (f"{_POWER}::test_a_torn_tail_is_durable_aside_before_it_is_cut",),
    ),
    Mutant(
        "a snapshot's checksum is not checked",
        "agent_runner/store/sealed.py",
        "        if raw[-_TAIL:] !=",
        "        if False and raw[-_TAIL:] !=",
        (f"{_STORE}::test_no_flipped_bit_of_a_snapshot_is_read",),
    ),
    Mutant(
        "a snapshot is trusted whatever journal lies beside it",
        "agent_runner/store/store.py",
        "fits = snapshot is not None and is_whole_up_to(snapshot.position, layout.journal)",
        "fits = snapshot is not None",
        (f"{_STORE}::test_damage_before_the_snapshots_place_is_refused",),
    ),
    Mutant(
        "a snapshot may be ahead of its journal",
        "agent_runner/store/store.py",
        "    if snapshot and snapshot.position.seq > reader.position.seq:",
        "    if False:",
        (f"{_STORE}::test_a_snapshot_ahead_of_the_journal_is_refused",),
    ),
    Mutant(
        "a snapshot is written before its journal is synced",
        "agent_runner/store/store.py",
        "        if self.journal.synced < self.journal.position.seq:\n            return\n",
        "",
        (f"{_POWER}::test_no_snapshot_is_ahead_of_its_journal",),
    ),
    Mutant(
        "the last records are not synced at the end",
        "agent_runner/store/store.py",
        "            self.sync()  # first: a snapshot",
        "            pass  # first: a snapshot",
        (f"{_POWER}::test_after_the_end_state_and_snapshot_are_there",),
    ),
    Mutant(
        "images and answers are never synced",
        "agent_runner/store/blobs.py",
        "            self.disk.sync(self._file)\n",
        "",
        (f"{_POWER}::test_an_answer_is_durable_when_it_is_settled",),
    ),
    Mutant(
        "the name of the file of images is not synced",
        "agent_runner/store/blobs.py",
        "                self.disk.sync_folder(self.folder)\n",
        "                pass\n",
        (f"{_POWER}::test_an_answer_is_durable_when_it_is_settled",),
    ),
    Mutant(
        "a settled answer is not synced",
        "agent_runner/store/calls.py",
        "        self.blobs.sync()\n",
        "",
        (f"{_POWER}::test_an_answer_is_durable_when_it_is_settled",),
    ),
    Mutant(
        "a damaged content is handed out",
        "agent_runner/store/blobs.py",
        "return entry, content if hashlib.sha256(content).hexdigest() == entry.sha256 else None",
        "return entry, content",
        (f"{_BLOBS}::test_a_damaged_content_is_never_handed_out",),
    ),
    Mutant(
        "half a content passes for one that is there already",
        "agent_runner/store/blobs.py",
        "if known is None or self._read_at(known)[1] != content:",
        "if known is None:",
        (_BLOBS,),
    ),
    Mutant(
        "a file is given its name before its content is synced",
        "agent_runner/ground/disk.py",
        "                if durable:\n                    self.sync(descriptor)\n",
        "",
        ("tests/ground/test_disk.py::test_only_a_durable_file_outlives_a_power_cut",),
    ),
    Mutant(
        "a file's new name is not synced",
        "agent_runner/ground/disk.py",
        "        if durable:\n            self.sync_folder(path.parent)\n        return size\n",
        "        return size\n",
        ("tests/ground/test_disk.py::test_only_a_durable_file_outlives_a_power_cut",),
    ),
    Mutant(
        "a reservation in the ledger is not synced",
        "agent_runner/limits/ledger.py",
        "        self.disk.sync(self._file)\n",
        "",
        ("tests/limits/test_ledger.py::test_a_power_cut_takes_no_reservation_away",),
    ),
    Mutant(
        "no entry is synced before what depends on it",
        "agent_runner/engine/core.py",
        "            self.store.sync()\n",
        "            pass\n",
        (_COSTS,),
    ),
    Mutant(
        "a call is sent before its start is synced",
        "agent_runner/engine/durability.py",
        '    e.CallStarted: "sent next, and may be billed from then on",\n',
        "",
        (_COSTS, "tests/engine/test_durability.py::test_every_kind_is_decided_on"),
    ),
    Mutant(
        "a call is journaled after it was answered",
        "agent_runner/engine/calls/call.py",
        f"{_START}            return {_SEND}\n",
        f"            ended = {_SEND}\n{_START}            return ended\n",
        (f"{_CALLS}::test_a_call_without_an_answer_on_disk_is_lost_and_said_so",),
    ),
    Mutant(
        "files are written before their intent is journaled",
        "agent_runner/engine/steps/apply.py",
        "            self.changes.plan(planned, work.record, work.journal)\n",
        "            for content in planned.blobs.values():\n"
        "                self.changes.blobs.put(content)\n"
        "            await self.changes.write(planned.change_set, work.task.root)\n"
        "            self.changes.plan(planned, work.record, work.journal)\n",
        (f"{_APPLYING}::test_the_intent_and_its_images_are_kept_before_a_file_is_touched",),
    ),
    Mutant(
        "a task moves before the journal has it",
        "agent_runner/store/store.py",
        "        return self.journal.append(self.clock.now(), task, event, to)\n",
        "        at = self.clock.now()\n"
        "        self.state.take(Entry(self.journal.position.seq + 1, at, task, event, to))\n"
        "        return self.journal.append(at, task, event, to)\n",
        (f"{_POWER}::test_a_journal_that_refuses_leaves_the_state_as_it_was",),
    ),
    Mutant(
        "the intent is journaled before its images are kept",
        "agent_runner/engine/changes.py",
        "        for content in planned.blobs.values():\n",
        '        journal(ApplyPlanned(planned.change_set, record.call.reply or ""))\n'
        "        for content in planned.blobs.values():\n",
        (f"{_APPLYING}::test_the_intent_and_its_images_are_kept_before_a_file_is_touched",),
    ),
    Mutant(
        "new contents of the user's files are renamed unsynced",
        "agent_runner/files/apply.py",
        "                _sync_all(descriptors)\n",
        "                del descriptors\n",
        (_COSTS,),
    ),
    Mutant(
        "names in the user's folders are not synced",
        "agent_runner/files/apply.py",
        "                sync_names(descriptor)\n",
        "                pass\n",
        (_COSTS,),
    ),
)
