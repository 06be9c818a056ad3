"""What can be changed in one program, and how it is done and seen: a registry, and the kinds that are about messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.clients.sides import BirdSide, CasillaSide, fresh, in_tree, no_row, now_ms, row
from tests.clients.table import TO_BIRD, TO_CASILLA

LETTER_MS = 20_000
SYNC = "await sync(inbox)"
BY_ITSELF, LOOKED = "by itself", "when it looks"
Measure = tuple[str, int]


@dataclass
class Run:
    """Both programs, a third that only fills the mailbox, and what belongs to this run."""

    casilla: CasillaSide
    bird: BirdSide
    imap: Any
    address: str
    work: Callable[[], object]
    """Does what a worker would do now: what was sent goes out."""
    deliver: Callable[[bytes], None]
    limit: Callable[[int], None]
    """Leaves the mailbox so many bytes of room, for those who log in from now on, and ends its sessions."""
    renew: Callable[[str], None]
    """Gives a folder another UIDVALIDITY."""
    log_in: Callable[[], Any]
    """The third program, logged in anew."""

    def letter(self, subject: str, *flags: str, folder: str = "INBOX") -> None:
        """A new message that both programs show before anything is done with it."""
        self.imap.append(folder, fresh(subject), flags)
        if folder == self.casilla.folder:
            self.casilla.page.wait_for_function(f"() => {row(subject)}", timeout=LETTER_MS)
        where = "inbox" if folder == "INBOX" else f"F('{folder}')"
        if folder != "INBOX":
            self.bird.run(f"await sync({where})")
        known = f"until(() => by({where}, args[0]), {LETTER_MS} / 2)"
        self.bird.run(f"await {known}.catch(async () => {{ await sync({where}); await {known}; }})", subject)

    def to_casilla(self, condition: str, body: str, *args: Any) -> Measure:
        """Thunderbird does something; how long until Casilla's page shows it."""
        self.casilla.watch(condition)
        started = self.bird.act(body, *args)
        return BY_ITSELF, max(0, self.casilla.seen() - started)

    def settle(self) -> None:
        """Lets Thunderbird come to rest in the Inbox, where it idles; while it still reads it hears late."""
        self.bird.run("await Promise.race([sync(inbox), sleep(2000)]).catch(() => 0); await sleep(300)")

    def to_bird(self, act: Callable[[], object], condition: str, *args: Any, look: str = SYNC) -> Measure:
        """Casilla does something; how long until Thunderbird shows it, if need be when it looks."""
        self.settle()
        started = now_ms()
        act()
        moment, looked = self.bird.seen(condition, *args, look=look)
        return (LOOKED, moment) if looked else (BY_ITSELF, max(0, moment - started))


Do = Callable[[Run], Measure]
KINDS: list[tuple[str, str, Do]] = []
"""Kind, direction, and what does it."""


def kind(name: str, direction: str) -> Callable[[Do], Do]:
    def keep(do: Do) -> Do:
        KINDS.append((name, direction, do))
        return do

    return keep


# --- marks ------------------------------------------------------------------------------------------------------------

TAGS = {"Important": "$label1", "Work": "$label2", "Personal": "$label3", "To Do": "$label4", "Later": "$label5"}


def _mark(name: str, do: str, body: str, shown: str, known: str, before: tuple[str, ...] = ()) -> None:
    """A mark both ways. `shown` is an expression of Casilla's page with %s for the row, `known` one of Thunderbird's header."""

    @kind(name, TO_CASILLA)
    def _there(run: Run) -> Measure:
        run.letter(f"{name} TC", *before)
        return run.to_casilla(shown % row(f"{name} TC"), f"const one = by(inbox, args[0]); now(); {body}", f"{name} TC")

    @kind(name, TO_BIRD)
    def _here(run: Run) -> Measure:
        run.letter(f"{name} CT", *before)
        act = lambda: run.casilla.change(do, f"{name} CT")  # noqa: E731
        return run.to_bird(act, f"(one => one && ({known}))(by(inbox, args[0]))", f"{name} CT")


DOT = "(%%s)?.querySelector('.tagdot[data-keyword=\"%s\"]')"
_mark("read", "read", "inbox.markMessagesRead([one], true)", "!(%s).hasAttribute('data-unread')", "one.isRead")
_mark(
    "unread",
    "unread",
    "inbox.markMessagesRead([one], false)",
    "(%s).hasAttribute('data-unread')",
    "!one.isRead",
    (r"\Seen",),
)
_mark("flag", "star", "inbox.markMessagesFlagged([one], true)", "(%s).querySelector('.star')", "one.isFlagged")
_mark(
    "flag taken away",
    "unstar",
    "inbox.markMessagesFlagged([one], false)",
    "!(%s).querySelector('.star')",
    "!one.isFlagged",
    (r"\Flagged",),
)
for _name, _keyword in TAGS.items():
    _mark(
        f"tag {_name}",
        f"tag {_keyword}",
        f"inbox.addKeywordsToMessages([one], '{_keyword}')",
        DOT % _keyword,
        f"keywords(one).includes('{_keyword}')",
    )
_mark(
    "tag taken away",
    "untag $label2",
    "inbox.removeKeywordsFromMessages([one], '$label2')",
    "!(%s).querySelector('.tagdot')",
    "!keywords(one).includes('$label2')",
    ("$label2",),
)


@kind("tag of one's own", TO_CASILLA)
def _own_tag_there(run: Run) -> Measure:
    run.letter("own tag TC")
    body = "MailServices.tags.addTag('Urgente hoy', '#00aa00', ''); const key = MailServices.tags.getKeyForTag('Urgente hoy');"
    body += "const one = by(inbox, args[0]); now(); inbox.addKeywordsToMessages([one], key)"
    return run.to_casilla(row("own tag TC", ".tagdot"), body, "own tag TC")


@kind("tag of one's own", TO_BIRD)
def _own_tag_here(run: Run) -> Measure:
    run.letter("own tag CT")
    run.casilla.post(f"/mail/{run.casilla.account_id}/tags/", name="Obra", colour="2")
    act = lambda: run.casilla.change("tag obra", "own tag CT")  # noqa: E731
    return run.to_bird(act, "keywords(by(inbox, args[0])).includes('obra')", "own tag CT")


# --- places -----------------------------------------------------------------------------------------------------------


def _leave(name: str, do: str, body: str, target: str, **form: str) -> None:
    """A message leaves the Inbox; then it must be in `target` in both programs."""

    @kind(name, TO_CASILLA)
    def _there(run: Run) -> Measure:
        run.letter(f"{name} TC")
        found = run.to_casilla(no_row(f"{name} TC"), f"const one = by(inbox, args[0]); now(); {body}", f"{name} TC")
        _is_in(run, target, f"{name} TC")
        return found

    @kind(name, TO_BIRD)
    def _here(run: Run) -> Measure:
        run.letter(f"{name} CT")
        act = lambda: run.casilla.change(do, f"{name} CT", **form)  # noqa: E731
        found = run.to_bird(act, "!by(inbox, args[0])", f"{name} CT")
        _is_in(run, target, f"{name} CT")
        return found


def _is_in(run: Run, folder: str, subject: str) -> None:
    run.imap.select_folder(folder, readonly=True)
    assert run.imap.search(["SUBJECT", subject]), f"it is not in {folder}"


def _token(folder: str) -> str:
    from webmail.tokens import encode_folder
    from webmail.values import FolderId

    return encode_folder(FolderId(folder))


_leave("move", "move", "await carry(inbox, [one], F('Obras'), true)", "Obras", to=_token("Obras"))
_leave(
    "archive",
    "archive",
    """const { MessageArchiver } = ChromeUtils.importESModule("resource:///modules/MessageArchiver.sys.mjs");
    const archiver = new MessageArchiver(); archiver.msgWindow = main.msgWindow; archiver.archiveMessages([one])""",
    f"Archive/{fresh('x').split(b'Date: ')[1][12:16].decode()}",
)
_leave("delete", "delete", "inbox.deleteMessages([one], main.msgWindow, false, false, null, true)", "Trash")
_leave(
    "junk",
    "junk",
    "await choose(inbox, one); await command('cmd_markAsJunk')",
    "Junk",
)


@kind("copy", TO_CASILLA)
def _copy_there(run: Run) -> Measure:
    run.letter("copy TC")
    run.casilla.show("Obras")
    return run.to_casilla(
        row("copy TC"), "const one = by(inbox, args[0]); now(); await carry(inbox, [one], F('Obras'), false)", "copy TC"
    )


@kind("copy", TO_BIRD)
def _copy_here(run: Run) -> Measure:
    run.casilla.show("INBOX")
    run.letter("copy CT")
    act = lambda: run.casilla.change("copy", "copy CT", to=_token("Obras"))  # noqa: E731
    return run.to_bird(act, "by(F('Obras'), args[0])", "copy CT", look="await sync(F('Obras'))")


@kind("not junk", TO_CASILLA)
def _ham_there(run: Run) -> Measure:
    run.letter("ham TC", "Junk", folder="Junk")
    body = "const junk = F('Junk'); const one = by(junk, args[0]); await choose(junk, one);"
    body += "await command('cmd_markAsNotJunk'); await sleep(1500); await show(inbox)"
    return run.to_casilla(row("ham TC"), body, "ham TC")


@kind("not junk", TO_BIRD)
def _ham_here(run: Run) -> Measure:
    run.casilla.show("Junk")
    run.letter("ham CT", "Junk", folder="Junk")
    found = run.to_bird(lambda: run.casilla.change("ham", "ham CT"), "by(inbox, args[0])", "ham CT")
    run.casilla.show("INBOX")
    return found


@kind("undo of a delete", TO_CASILLA)
def _undo_there(run: Run) -> Measure:
    run.letter("undo TC")
    run.to_casilla(
        no_row("undo TC"),
        "await choose(inbox, by(inbox, args[0])); await command('cmd_delete')",
        "undo TC",
    )
    body = "await sleep(1000); now(); main.goDoCommand('cmd_undo')"
    return run.to_casilla(row("undo TC"), body)


@kind("undo of a delete", TO_BIRD)
def _undo_here(run: Run) -> Measure:
    run.letter("undo CT")
    run.settle()
    answer = run.casilla.change("delete", "undo CT")
    run.bird.seen("!by(inbox, args[0])", "undo CT", look=SYNC)
    url = re.search(r'(/mail/\d+/undo/[\w-]+/)"', answer)
    assert url
    act = lambda: run.casilla.post(url[1], **{"from": _token("INBOX")})  # noqa: E731
    return run.to_bird(act, "by(inbox, args[0])", "undo CT", look=SYNC)


@kind("delete for good, expunge", TO_CASILLA)
def _purge_there(run: Run) -> Measure:
    run.letter("purge TC")
    body = (
        "const one = by(inbox, args[0]); now(); inbox.deleteMessages([one], main.msgWindow, true, false, null, false);"
    )
    return run.to_casilla(
        no_row("purge TC"), body + "await listener(l => inbox.expunge(l, main.msgWindow))", "purge TC"
    )


@kind("delete for good, expunge", TO_BIRD)
def _purge_here(run: Run) -> Measure:
    run.letter("purge CT")
    return run.to_bird(lambda: run.casilla.change("purge", "purge CT"), "!by(inbox, args[0])", "purge CT")


@kind("Trash emptied", TO_CASILLA)
def _empty_there(run: Run) -> Measure:
    run.casilla.show("Trash")
    run.letter("empty TC", folder="Trash")
    found = run.to_casilla(no_row("empty TC"), "now(); F('Trash').emptyTrash(null)")
    run.casilla.show("INBOX")
    return found


@kind("Trash emptied", TO_BIRD)
def _empty_here(run: Run) -> Measure:
    run.letter("empty CT", folder="Trash")
    path = run.casilla.path("Trash", "empty/")
    form = dict(re.findall(r'name="(upto|counted)" value="([^"]*)"', run.casilla.get(path)))
    return run.to_bird(
        lambda: run.casilla.post(path, **form), "!by(F('Trash'), 'empty CT')", look="await sync(F('Trash'))"
    )


@kind("new mail comes in", TO_CASILLA)
def _new_there(run: Run) -> Measure:
    run.casilla.watch(row("new mail TC"))
    started = now_ms()
    run.deliver(fresh("new mail TC"))
    return "by itself (a third program delivers it)", run.casilla.seen() - started


@kind("new mail comes in", TO_BIRD)
def _new_here(run: Run) -> Measure:
    run.casilla.page.wait_for_timeout(
        4_000
    )  # of two that come together Thunderbird takes the second with its next look
    started = now_ms()
    run.deliver(fresh("new mail CT"))
    moment, _looked = run.bird.seen("by(inbox, 'new mail CT')")
    return "by itself (a third program delivers it)", moment - started


__all__ = ["KINDS", "Run", "in_tree", "kind"]
