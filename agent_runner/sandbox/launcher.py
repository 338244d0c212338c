"""Starts one command with fewer rights (Landlock), and ends all that it started when it ends.

Run as a script, alone, by `landlock.py`:

    launcher.py free|tcp|closed WRITABLE... '' READABLE... '' MASKED... '' COMMAND...

`free`: nothing is confined but the command's life. `tcp`, `closed`: it writes below the WRITABLE
paths only, and reads no device and no file of the MASKED ones, but for READABLE ones within those
(all exist); whether it may use TCP.
It imports nothing of ours, and little else, as it is started for every command: json and the module
`signal` would double the 12 ms of processor time that Python takes to start.

Three processes. The first is the one that our caller knows, signals and waits for; should it be
killed, the system tells the second one (PR_SET_PDEATHSIG). The second keeps watch: what the command
leaves behind becomes its child (PR_SET_CHILD_SUBREAPER), whatever session it fled to, and it goes
only when it has none. The third becomes the command. Only that one loses rights, so that it can
signal neither of the others (ABI 6 and later).
"""

import ctypes
import errno
import os
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes long to import
    import signal
    from collections.abc import Callable
else:
    import _signal as signal  # the same without its enums

SELF = "agent-runner sandbox"
"""What our own messages begin with."""

FAILED = 125
"""Exit code where the command was not started, since its rights could not be taken away."""

TERM_GRACE = 1
"""Whole seconds between SIGTERM and SIGKILL; our caller waits for two."""

_PDEATHSIG, _SECCOMP, _CAPBSET_DROP, _SUBREAPER, _NO_NEW_PRIVS = 1, 22, 24, 36, 38  # of prctl(2)
_FILTER = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls
_PATH_BENEATH = 1

# rights of landlock(7), by bit
_WRITE_FILE, _READ_FILE, _TRUNCATE = 1 << 1, 1 << 2, 1 << 14
_FOLDER_WRITES = sum(1 << bit for bit in range(4, 14))  # REMOVE_DIR up to MAKE_SYM, and REFER
_WRITES = _WRITE_FILE | _TRUNCATE | _FOLDER_WRITES
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals
_OF_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""What seccomp knows a machine by, and the number of its system call `socket`."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Run the command; its exit code, 128 + n for a death by signal n."""
    mode, words = sys.argv[1], sys.argv[2:]
    writable, readable, masked = _taken(words), _taken(words), _taken(words)
    _prctl(_PDEATHSIG, signal.SIGKILL)
    temporary = "" if mode == "free" else _temporary_folder()
    first = os.getpid()
    keeper = os.fork()
    if keeper == 0:

        def confine() -> None:
            if mode != "free":
                os.environ.update(TMPDIR=temporary, TMP=temporary, TEMP=temporary)
                _restrict([*writable, temporary], readable, masked, tcp=mode == "tcp")

        os._exit(_keep(first, temporary, lambda: _become(words, confine)))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(keeper, signal.SIGTERM))
    return _code(os.waitpid(keeper, 0)[1])


def _keep(first: int, temporary: str, become: "Callable[[], None]") -> int:
    """Watch over the command and whatever it leaves behind."""
    os.setsid()
    _prctl(_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: _ask_all_to_end())
    signal.signal(signal.SIGALRM, lambda *_: _signal_all(signal.SIGKILL))
    signal.signal(signal.SIGHUP, lambda *_: _signal_all(signal.SIGKILL))
    _prctl(_PDEATHSIG, signal.SIGHUP)
    if os.getppid() != first:  # it ended before we had asked to be told
        return 128 + signal.SIGKILL
    child = os.fork()
    if child == 0:
        become()
    status = 0
    found = 0
    while found != child:
        found, status = os.waitpid(-1, 0)
    _end_all()
    if temporary:
        _remove(temporary)
    return _code(status)


def _become(command: "list[str]", confine: "Callable[[], None]") -> None:
    """Turn into the command."""
    try:
        os.setsid()  # it may signal its own group without reaching the keeper
        for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        confine()
        os.execvp(command[0], command)  # noqa: S606 - the purpose
    except FileNotFoundError as error:
        _leave(127, error)
    except PermissionError as error:
        _leave(126, error)
    except OSError as error:
        _leave(FAILED, error)


def _leave(code: int, error: OSError) -> None:
    sys.stderr.write(f"{SELF}: {error}\n")
    sys.stderr.flush()
    os._exit(code)


def _restrict(
    writable: "list[str]", readable: "list[str]", masked: "list[str]", *, tcp: bool
) -> None:
    """Give up every right but those: for this process and all that it will start."""
    abi = _checked(_libc.syscall(_CREATE_RULESET, None, 0, 1))
    files = _WRITES | _READ_FILE
    attributes = struct.pack("QQQ", files, 0 if tcp else _TCP, _SCOPES)
    size = 24 if abi >= 6 else 16
    ruleset = _checked(_libc.syscall(_CREATE_RULESET, attributes, size, 0))
    for path in writable:
        _allow(ruleset, path, files)
    for name in _DEVICES:
        _allow(ruleset, f"/dev/{name}", files)
    # root needs no capability to read disks as a whole, and with them all that is masked
    for folder in ("/", *readable):
        for path in _not_leading_to({*masked, "/dev"}, folder):
            _allow(ruleset, path, _READ_FILE)
    if os.geteuid() == 0:  # root's rights would reach around it: raw disks, modules, reboot
        for capability in range(64):
            _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)  # fails from the last one on
    _prctl(_NO_NEW_PRIVS, 1)
    _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    _refuse_sockets(tcp=tcp)


def _refuse_sockets(*, tcp: bool) -> None:
    """Have no socket made that Landlock does not watch, by a filter for seccomp(2).

    By one with a path (AF_UNIX), a service outside would do what the command may not: systemd runs
    programs for whoever asks on the session's bus. Pairs of sockets are another system call and
    stay. Without TCP there is no other protocol either. io_uring makes sockets past any filter.
    """
    machine, socket_call = _OF_MACHINES[os.uname().machine]
    load, equal, at_least, leave = 0x20, 0x15, 0x35, 0x06  # words, jumps and returns of a filter
    allowed, refused = 0x7FFF0000, 0x00050000 | errno.EACCES
    unix, netlink = 1, 16
    steps = [  # code, steps to skip where true and where false, value
        (load, 0, 0, 4),
        (equal, 0, 7, machine),  # programs for another machine have other numbers
        (load, 0, 0, 0),
        (at_least, 5, 0, 0x40000000),  # x32, on x86-64
        (equal, 4, 0, 425),  # io_uring_setup
        (equal, 0, 2, socket_call),
        (load, 0, 0, 16),  # its first argument, the family
        (equal, 1, 0, unix) if tcp else (equal, 0, 1, netlink),
        (leave, 0, 0, allowed),
        (leave, 0, 0, refused),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(steps), ctypes.addressof(held))
    _checked(_libc.prctl(_SECCOMP, _FILTER, program, 0, 0))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone since it was listed, or there is no such device
        return
    if not os.path.isdir(path):
        rights &= _WRITE_FILE | _READ_FILE | _TRUNCATE
    beneath = struct.pack("=Qi", rights, place)
    _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, beneath, 0)
    os.close(place)


def _not_leading_to(masked: "set[str]", folder: str) -> "list[str]":
    """The largest folders, and files, in `folder` that hold nothing masked.

    What is made later in a folder with something masked is in none of them.
    """
    masked = {path for path in masked if path.startswith(folder.rstrip("/") + "/")}
    if not masked:
        return [folder]
    try:
        names = os.listdir(folder)
    except OSError:  # we know of those only that we were told of
        names = sorted({path[len(folder) :].strip("/").split("/")[0] for path in masked})
    found = []
    for path in (os.path.join(folder, name) for name in names):
        if path not in masked and not os.path.islink(path):
            found += _not_leading_to(masked, path)
    return found


def _end_all() -> None:
    """SIGKILL until nobody is left: who is killed leaves us children that we have not seen."""
    for _ in range(500):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        _signal_all(signal.SIGKILL)
        time.sleep(0.01)


def _ask_all_to_end() -> None:
    _signal_all(signal.SIGTERM)
    signal.alarm(TERM_GRACE)


def _signal_all(number: int) -> None:
    """Signal all that descend from this process."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:  # it has ended meanwhile
                continue
            parents.setdefault(parent, []).append(int(name))
    ours = list(parents.get(os.getpid(), []))
    for pid in ours:  # grows as we go
        ours += parents.get(pid, [])
    for pid in ours:
        try:
            os.kill(pid, number)
        except OSError:  # it has ended meanwhile
            pass


def _temporary_folder() -> str:
    outer = os.environ.get("TMPDIR", "")
    above = outer if os.path.isdir(outer) else "/tmp"  # noqa: S108 - ours is a folder within
    path = os.path.join(above, f"agent-runner-{os.getpid()}-{os.urandom(4).hex()}")
    os.mkdir(path, 0o700)
    return os.path.realpath(path)


def _remove(folder: str) -> None:
    """Remove a folder as far as it can be; shutil takes longer to import than all the rest."""
    for top, folders, files in os.walk(folder, topdown=False):
        for path in (os.path.join(top, name) for name in (*files, *folders)):
            try:
                (os.unlink if os.path.islink(path) or not os.path.isdir(path) else os.rmdir)(path)
            except OSError:  # it may not be removed: the system empties the folder of such folders
                pass
    try:
        os.rmdir(folder)
    except OSError:
        pass


def _taken(words: "list[str]") -> "list[str]":
    """Take the words up to the next empty one, and that, from the front."""
    end = words.index("")
    taken = words[:end]
    del words[: end + 1]
    return taken


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, value, 0, 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    sys.exit(main())
