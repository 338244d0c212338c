"""Fences that are no edits: commands to be run (`sh run`) and files to be shown (`show`)."""

from agent_runner.edits.formats.scan import Fence, Found, Scan, complaint, fence_on

SHELLS = frozenset({"sh", "bash", "shell", "zsh", "console", "shell-session"})


class Requests:
    """Reads ```` ```sh run ```` and ```` ```show ````."""

    name = "request"

    def starts(self, scan: Scan, at: int) -> bool:
        """At a fence whose info string is one of the two."""
        fence = fence_on(scan.line(at)) if scan.fence is None else None
        return fence is not None and (_is_command(fence) or _is_show(fence))

    def read(self, scan: Scan, at: int) -> Found:
        """The lines up to the closing fence."""
        fence = fence_on(scan.line(at))
        if fence is None:
            return Found(at + 1)
        end = at + 1
        while end < len(scan) and not fence.closed_by(scan.line(end)):
            end += 1
        name = "command" if _is_command(fence) else "show"
        if end == len(scan):
            origin = scan.next_block(at, name)
            remedy = f"Close it with `{fence.marks}` on a line of its own."
            return Found(end, problems=(complaint(origin, "the fence is not closed.", remedy),))
        lines = [scan.line(index) for index in range(at + 1, end)]
        text = "\n".join(lines).strip()
        if not text:
            return Found(end + 1)
        if name == "command":
            return Found(end + 1, commands=(text,))
        asks = tuple(line.strip().strip("`").removeprefix("- ").strip("` ") for line in lines)
        return Found(end + 1, asks=tuple(ask for ask in asks if ask))


def _is_command(fence: Fence) -> bool:
    return fence.language in SHELLS and "run" in fence.info.lower().split()[1:]


def _is_show(fence: Fence) -> bool:
    return fence.info.strip().lower() == "show"
