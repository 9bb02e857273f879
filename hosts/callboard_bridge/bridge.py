"""The bridge between an application and Callboard: events out, questions and answers, commands in.

Everything happens in ``poll``, which the application calls from its own tick (a timer, a loop, an idle callback).
Call all methods from one thread. Nothing here starts a thread, blocks, or raises into the application.
"""

from __future__ import annotations

import os
import time

from callboard_bridge.courier import Courier
from callboard_bridge.farewell import expect, forget
from callboard_bridge.guard import VERBS, Guard
from callboard_bridge.link import CLOSED, Link
from callboard_bridge.orders import Orders
from callboard_bridge.outbox import Outbox
from callboard_bridge.places import Named, Project
from callboard_bridge.questions import Questions
from callboard_bridge.says import call, envelope, receipt_of, slug
from callboard_bridge.spool import MAX_EVENT, is_event_type
from callboard_bridge.standing import Standing
from callboard_bridge.wire import encode

TYPE_CHECKING = False  # importing typing costs a tenth of the whole import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from callboard_bridge.wire import Message

    Then = Callable[[Any, str], None]

BUDGET = 0.002
"""Seconds that a poll spends at most, beside one message more and the callbacks."""
TICK_SECONDS = 0.05
"""Between two looks at what is due."""
GOODBYE_SECONDS = 0.04
"""For last words and for answers that are on their way."""


class Bridge:
    """One application's connection with a Callboard.

    Args:
        url: The server: ``nats://host:port`` or ``tls://host:port``; a host name is looked up here, once.
        application: What people call the application, such as ``Blender``.
        version: The application's version.
        capabilities: The verbs that this host takes; a command with another one is refused.
        host: This instance's id; made from *application* where it is empty.
        seed: An nkey seed, as in ``.callboard/keys/host.nk``.
        token: Or a token.
        user: Or a user, with *password*.
        password: See *user*.
        tls: ``None`` for none, ``True``, a file with CA certificates, or an ``ssl.SSLContext``.
        outbox: A folder for events that the board has not taken yet: one for each board, shared by all processes that
            talk to it. ``None`` keeps them in memory.
        roots: Folders that commands may name files in.
    """

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
        places, folder = Named(url, tls, seed, token, user, password), os.path.abspath(outbox) if outbox else None
        self._set_up(places, Guard(roots), folder, application, version, capabilities, host)

    @classmethod
    def for_project(
        cls, folder: str, application: str, version: str, capabilities: Sequence[str] = (), host: str = ""
    ) -> Bridge:
        """Connect with the board of the Callboard project in *folder*; where it listens is looked up at each try."""
        bridge, guard = cls.__new__(cls), Guard()
        project = Project(folder, guard.open)
        outbox = os.path.join(project.folder, ".callboard", "hosts", "outbox")
        cls._set_up(bridge, project, guard, outbox, application, version, capabilities, host)
        return bridge

    def _set_up(
        self,
        places: Named | Project,
        guard: Guard,
        outbox: str | None,
        application: str,
        version: str,
        capabilities: Sequence[str],
        host: str,
    ) -> None:
        self.host = host or f"{slug(application)}-{os.urandom(3).hex()}"
        """This instance's id, such as ``blender-1f3a9c``."""
        takes = [verb for verb in capabilities if verb in VERBS]
        presence = {"host": self.host, "application": application, "version": version, "capabilities": takes}
        self._inbox = "_INBOX.host." + os.urandom(11).hex()
        self._places, self._guard, self._outbox = places, guard, Outbox(outbox, slug(self.host))
        self._link = Link(places.find, self.host, [self._inbox + ".*", "cb.do." + self.host])
        self._courier = Courier(self._link, self._outbox, self._inbox)
        self._questions = Questions(self._link, self._inbox, call)
        self._standing = Standing(self._link, self._questions, {**presence, "state": "online"})
        self._orders = Orders(guard, self._questions, self.host, takes, self.receipt, self._hand)
        self._callback: Callable[[dict[str, Any]], None] | None = None
        self._busy = self._closed = self._ready = self._eager = False
        self._logins, self._tick_at, self._mishap = 0, 0.0, ""
        expect(self)

    @property
    def state(self) -> str:
        """``online`` once the board has greeted us, ``connecting``, or ``offline``."""
        if self._standing.greeted and self._link.ready:
            return "online"
        return "offline" if self._link.stage == CLOSED else "connecting"

    @property
    def problem(self) -> str:
        """What is wrong, in one line a person understands: why it is not online, or what cannot be done."""
        if not self._link.ready:
            return self._link.problem or self._mishap
        return (
            self._standing.problem or self._link.denied or self._courier.problem or self._outbox.problem or self._mishap
        )

    @property
    def pending(self) -> int:
        """Events that the board has not taken yet, those of gone processes included once they are found."""
        return self._outbox.count

    def poll(self) -> None:
        """Do what is due, in at most 5 ms beside the callbacks it calls; never raises."""
        if self._busy or self._closed:
            return
        self._busy = True
        try:
            now, link = time.monotonic(), self._link
            if now < self._tick_at and not self._eager and link.quiet(now):
                return
            link.step(now, now + BUDGET)
            message = link.next()
            if link.ready != self._ready or link.logins != self._logins:
                self._turn()
            if message is not None or self._eager or now >= self._tick_at:
                self._work(message, now, now + BUDGET)
        except Exception as error:  # noqa: BLE001 - whatever is wrong in here must not end in the application
            self._mishap = f"{type(error).__name__}: {error}"
            self._link.drop(self._mishap)
        finally:
            self._busy = False

    def post(self, type: str, data: dict[str, Any], subject: str = "") -> str:  # noqa: A002 - as CloudEvents names it
        """Keep an event (``host.scene.saved``, {...}) until the board has it, and give its id.

        ``host`` is filled in in *data*. Gives "" where it cannot be kept; ``problem`` then says why. A crash of the
        application loses nothing; a power cut may lose the last seconds, as nothing here waits for the disk.
        """
        try:
            event = envelope(type, {**data, "host": self.host}, subject)
            line = encode(event)
        except (TypeError, ValueError, RecursionError) as error:
            self._mishap = f"an event {type} cannot be written as JSON: {error}"
            return ""
        if self._closed or not is_event_type(type) or len(line) > MAX_EVENT:
            self._mishap = f"an event {str(type)[:60]} is none of a host's, is longer than 60 KiB, or comes too late"
            return ""
        if not self._outbox.append(line):
            return ""
        self._mishap, self._eager = "", True
        return str(event["id"])

    def ask(self, verb: str, data: dict[str, Any], then: Then, timeout: float = 5.0) -> None:
        """Ask the board (``cb.ctl.host.VERB``); ``then(value, problem)`` is called once, from ``poll``.

        *problem* is "" when it went well; *timeout* counts seconds.
        """
        self._questions.ask(verb, data, then, time.monotonic() + timeout)

    def present(self, project: str = "", revision: str = "") -> None:
        """Say which project is open, at which revision; the board is greeted again when the project is another."""
        self._standing.present(project, revision)
        self._tick_at = 0.0
        if project != self._orders.project:
            self._orders.project = project
            self._orders.forget()
            self._guard.enter(project)

    def on_command(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call ``callback(command)`` from ``poll`` for each command: whole, its verb and paths checked."""
        first, self._callback = self._callback is None, callback
        if first and self._standing.greeted:
            self._orders.ask_again()

    def receipt(
        self,
        command: dict[str, Any],
        state: str,
        landed: Sequence[str] = (),
        missing: Sequence[str] = (),
        note: str = "",
    ) -> None:
        """Say what came of a command: ``applied``, ``partial``, ``refused``, ``stale`` or ``failed``."""
        said = receipt_of(command, state, landed, missing, note, self._orders.project)
        if self.post("host.receipt", said, str(command.get("proposal") or "")):
            self._orders.settled(said["command"])

    def allowed(self, path: str) -> bool:
        """Say whether *path*, with its links followed, is inside the roots or the open project's folder."""
        return self._guard.allowed(path)

    def close(self) -> None:
        """Say good-bye, within 50 ms; events that were not taken wait in the outbox for the next process."""
        if self._closed:
            return
        until = time.monotonic() + GOODBYE_SECONDS
        try:
            self._busy = True
            if self._link.ready:
                self._courier.send(time.monotonic(), until)
                self._standing.tell("offline")
                self._link.flush()  # whatever the time: on a busy machine it may be over before the first look
            while self._link.ready and time.monotonic() < until and (self._link.unsent or self._courier.flying):
                now = time.monotonic()
                self._link.step(now, until)
                message = self._link.next()
                if message is not None:
                    self._heard(message, now, answers=False)
                else:
                    time.sleep(0.0005)  # a closing application has no tick to come back in
        except Exception as error:  # noqa: BLE001 - whatever is wrong in here must not end in the application
            self._mishap = f"{type(error).__name__}: {error}"
        self._closed = True
        self._link.close()
        self._courier.lost()
        self._outbox.close()
        forget(self)

    def _turn(self) -> None:
        """Take note that the connection came, went, or is another one."""
        if self._ready:
            self._courier.lost()
            self._questions.lost()
            self._orders.drop()
        self._ready, self._logins = self._link.ready, self._link.logins
        self._standing.restart()
        self._tick_at = 0.0

    def _work(self, message: Message | None, now: float, until: float) -> None:
        while message is not None:
            self._heard(message, now)
            if time.monotonic() > until:
                break
            message = self._link.next()
        self._courier.send(now, until)
        if now >= self._tick_at:
            self._tick_at = now + TICK_SECONDS
            self._tick(now, until)
        self._eager = self._orders.busy or self._courier.waiting
        self._link.flush()

    def _heard(self, message: Message, now: float, answers: bool = True) -> None:
        if not message.subject.startswith(self._inbox):
            if answers and self._callback is not None:
                self._orders.heard(message)
            return
        kind, number = message.subject[len(self._inbox) + 1 :][:1], message.subject[len(self._inbox) + 2 :]
        if not number.isdigit() or len(number) > 15:
            return
        if kind == "e":
            self._courier.heard(int(number), message, now)
        elif kind == "q" and answers:
            self._questions.heard(int(number), message)

    def _tick(self, now: float, until: float) -> None:
        self._link.watch(now)
        self._courier.watch(now)
        self._questions.watch(now, self._link.problem if self._link.stage == CLOSED else self._standing.problem)
        self._outbox.tend(now)
        if self._link.stage == CLOSED:
            if self._places.changed():
                self._link.hurry()
            return
        if not self._link.ready:
            return
        if self._standing.step(now) and isinstance(self._places, Project) and self._places.changed():
            self._places.reread()
        self._orders.step(now, until)

    def _hand(self, command: dict[str, Any]) -> None:
        if self._callback is not None:
            failure = call(self._callback, command)
            if failure:
                self.receipt(command, "failed", note=failure)
