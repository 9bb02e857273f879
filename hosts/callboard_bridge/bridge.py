"""The bridge between an application and Callboard: events out, questions and answers, commands in.

Everything happens in ``poll``, which the application calls from its own tick (a timer, a loop, an idle callback).
Call all methods from one thread. Nothing here starts a thread, blocks, or raises into the application.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a tenth of the import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Then = Callable[[Any, str], None]


class Bridge:
    """One application's connection with a Callboard.

    Args:
        url: The server: ``nats://host:port`` or ``tls://host:port``.
        application: What people call the application, such as ``Blender``.
        version: The application's version.
        capabilities: The verbs that this host takes; a command with another one is refused.
        host: This instance's id; made from *application* where it is empty.
        seed: An nkey seed, as in ``.callboard/keys/host.nk``.
        token: Or a token.
        user: Or a user, with *password*.
        password: See *user*.
        tls: ``None`` for none, ``True``, a file with CA certificates, or an ``ssl.SSLContext``.
        outbox: A folder for events that the board has not taken yet; one for each board, which several processes
            may share. ``None`` keeps them in memory.
        roots: Folders that commands may name files in.
    """

    host: str
    """This instance's id, such as ``blender-1f3a9c``."""
    state: str
    """``online``, ``connecting`` or ``offline``."""
    problem: str
    """Why it is not online, in one line a person understands; empty when it is."""
    pending: int
    """Events that the board has not taken yet."""

    def __init__(
        self,
        url: str,
        application: str,
        version: str,
        capabilities: Sequence[str] = (),
        host: str = "",
        seed: bytes = b"",
        token: str = "",
        user: str = "",
        password: str = "",
        tls: Any = None,
        outbox: str | None = None,
        roots: Sequence[str] = (),
    ) -> None:
        raise NotImplementedError

    @classmethod
    def for_project(
        cls, folder: str, application: str, version: str, capabilities: Sequence[str] = (), host: str = ""
    ) -> Bridge:
        """Connect with the board of the Callboard project in *folder*; where it listens is looked up at each try."""
        raise NotImplementedError

    def poll(self) -> None:
        """Do what is due, in at most 5 ms beside the callbacks it calls; never raises."""
        raise NotImplementedError

    def post(self, type: str, data: dict[str, Any], subject: str = "") -> str:  # noqa: A002 - as CloudEvents names it
        """Keep an event (``host.scene.saved``, {...}) until the board has it, and give its id.

        ``host`` is filled in in *data*. Gives "" where it cannot be kept; ``problem`` then says why.
        """
        raise NotImplementedError

    def ask(self, verb: str, data: dict[str, Any], then: Then, timeout: float = 5.0) -> None:
        """Ask the board (``cb.ctl.host.VERB``); ``then(value, problem)`` is called once, from ``poll``.

        *problem* is "" when it went well; *timeout* is in seconds.
        """
        raise NotImplementedError

    def present(self, project: str = "", revision: str = "") -> None:
        """Say which project is open, at which revision; the board is greeted again when the project is another."""
        raise NotImplementedError

    def on_command(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call ``callback(command)`` from ``poll`` for each command: whole, its verb and paths checked."""
        raise NotImplementedError

    def receipt(
        self, command: dict[str, Any], state: str, landed: Sequence[str] = (), missing: Sequence[str] = (), note: str = ""
    ) -> None:
        """Say what came of a command: ``applied``, ``partial``, ``refused``, ``stale`` or ``failed``."""
        raise NotImplementedError

    def allowed(self, path: str) -> bool:
        """Say whether *path*, with its links followed, is inside the roots or the open project's folder."""
        raise NotImplementedError

    def close(self) -> None:
        """Say good-bye, within 50 ms; events that were not taken wait in the outbox for the next process."""
        raise NotImplementedError
