"""Kinds of change that are about folders, and about very many messages."""

from __future__ import annotations

import contextlib
import time

from imapclient import imap_utf7

from tests.clients.kinds import LETTER_MS, Measure, Run, _token, kind
from tests.clients.sides import fresh, in_tree, now_ms, row
from tests.clients.table import TO_BIRD, TO_CASILLA

LOOK = "server.performExpand(main.msgWindow)"
MANY = 1_000


def raw(name: str) -> str:
    return imap_utf7.encode(name).decode()


def _new(run: Run, name: str, place: str = "") -> None:
    run.casilla.post(f"/mail/{run.casilla.account_id}/folders/new/", name=name, place=_token(place) if place else "")


def _folder(name: str, there: str, here: str, place: str = "") -> None:
    """A folder is made: `there` in Thunderbird, `here` in Casilla."""
    above = f"F('{place}')" if place else "server.rootFolder"
    path = f"{place}/" if place else ""

    @kind(name, TO_CASILLA)
    def _there(run: Run) -> Measure:
        return run.to_casilla(
            in_tree(raw(path + there)), f"now(); {above}.createSubfolder(args[0], main.msgWindow)", there
        )

    @kind(name, TO_BIRD)
    def _here(run: Run) -> Measure:
        return run.to_bird(lambda: _new(run, here, place), "F(args[0])", path + here, look=LOOK)


_folder("folder created", "Facturas", "Recibos")
_folder("folder created in another", "Norte", "Sur", "Obras")
_folder("folder name with ñ", "Año nuevo", "Ñuñoa")
_folder("folder name with é", "Café", "Écrits")
_folder("folder name with emoji", "Fiesta 🎉", "Viaje ✈️")
_folder("folder name in Japanese", "プロジェクト", "日本語")


@kind("folder renamed", TO_CASILLA)
def _renamed_there(run: Run) -> Measure:
    shown = f"{in_tree('Facturas 2')} && !{in_tree('Facturas')}"
    return run.to_casilla(shown, "now(); F('Facturas').rename('Facturas 2', main.msgWindow)")


@kind("folder renamed", TO_BIRD)
def _renamed_here(run: Run) -> Measure:
    act = lambda: run.casilla.post(run.casilla.path("Recibos", "rename/"), name="Recibos 2")  # noqa: E731
    return run.to_bird(act, "F('Recibos 2')", look=LOOK)


@kind("folder moved into another", TO_CASILLA)
def _moved_there(run: Run) -> Measure:
    shown = f"{in_tree('Obras/Facturas 2')} && !{in_tree('Facturas 2')}"
    return run.to_casilla(shown, "now(); await carryFolder(F('Facturas 2'), F('Obras'))")


@kind("folder moved into another", TO_BIRD)
def _moved_here(run: Run) -> Measure:
    act = lambda: run.casilla.post(run.casilla.path("Recibos 2", "place/"), place=_token("Obras"))  # noqa: E731
    return run.to_bird(act, "F('Obras/Recibos 2')", look=LOOK)


@kind("folder deleted", TO_CASILLA)
def _deleted_there(run: Run) -> Measure:
    shown = f"!{in_tree('Obras/Facturas 2')}"
    return run.to_casilla(shown, "now(); await carryFolder(F('Obras/Facturas 2'), F('Trash'))")


@kind("folder deleted", TO_BIRD)
def _deleted_here(run: Run) -> Measure:
    act = lambda: run.casilla.post(run.casilla.path("Obras/Recibos 2", "delete/"), way="trash", counted="0.0")  # noqa: E731
    return run.to_bird(act, "F('Trash/Recibos 2')", look=LOOK)


@kind("folder subscribed", TO_CASILLA)
def _subscribed_there(run: Run) -> Measure:
    run.imap.create_folder("Oculta")
    run.settle()
    return run.to_casilla(in_tree("Oculta"), "now(); server.subscribeToFolder('Oculta', true)")


@kind("folder subscribed", TO_BIRD)
def _subscribed_here(run: Run) -> Measure:
    run.imap.create_folder("Escondida")
    act = lambda: run.casilla.post(run.casilla.path("Escondida", "subscription/"), on="1")  # noqa: E731
    return run.to_bird(act, "F('Escondida')", look=LOOK)


@kind("folder unsubscribed", TO_CASILLA)
def _unsubscribed_there(run: Run) -> Measure:
    return run.to_casilla(f"!{in_tree('Oculta')}", "now(); server.subscribeToFolder('Oculta', false)")


@kind("folder unsubscribed", TO_BIRD)
def _unsubscribed_here(run: Run) -> Measure:
    act = lambda: run.casilla.post(run.casilla.path("Escondida", "subscription/"), on="")  # noqa: E731
    return run.to_bird(act, "!F('Escondida')", look=LOOK)


@kind("whole folder marked as read", TO_CASILLA)
def _all_read_there(run: Run) -> Measure:
    for number in range(3):
        run.letter(f"all TC {number}", folder="Obras")
    run.casilla.page.wait_for_function(f"() => {in_tree('Obras', '.tree__n')}")
    shown = f"{in_tree('Obras')} && !{in_tree('Obras', '.tree__n')}"
    return run.to_casilla(shown, "const obras = F('Obras'); now(); obras.markAllMessagesRead(main.msgWindow)")


@kind("whole folder marked as read", TO_BIRD)
def _all_read_here(run: Run) -> Measure:
    for number in range(3):
        run.letter(f"all CT {number}", folder="Obras")
    act = lambda: run.casilla.post(run.casilla.path("Obras", "read/"))  # noqa: E731
    return run.to_bird(act, "by(F('Obras'), 'all CT 2').isRead", look="await sync(F('Obras'))")


# --- very many --------------------------------------------------------------------------------------------------------


def fill_many(run: Run) -> None:
    """A folder with a thousand unread messages, and an empty one, that both programs know."""
    for name in ("Mil", "Mil 2"):
        run.imap.create_folder(name)
        run.imap.subscribe_folder(name)
    one = b"From: Beto <beto@afuera.test>\r\nSubject: Mil %d\r\nDate: Fri, 28 Nov 2025 12:00:00 +0000\r\n\r\nHola\r\n"
    for number in range(MANY):
        run.imap.append("Mil", one % number)
    run.bird.run(f"{LOOK}; await until(() => F('Mil') && F('Mil 2'))")
    run.bird.run(f"await sync(F('Mil')); await until(() => headers(F('Mil')).length == {MANY}, 60000)")


@kind("1,000 messages marked as read at once", TO_CASILLA)
def _many_read_there(run: Run) -> Measure:
    fill_many(run)
    run.casilla.show("Mil")
    body = "const mil = F('Mil'), every = headers(mil); now(); mil.markMessagesRead(every, true)"
    shown = f"{in_tree('Mil')} && !{in_tree('Mil', '.tree__n')} && !document.querySelector('#list .row[data-unread]')"
    return run.to_casilla(shown, body)


@kind("1,000 messages flagged at once", TO_BIRD)
def _many_flag_here(run: Run) -> Measure:
    act = lambda: run.casilla.post(run.casilla.path("Mil", "change/"), do="star", all=_next(run, "Mil"))  # noqa: E731
    known = f"headers(F('Mil')).filter(one => one.isFlagged).length == {MANY}"
    return run.to_bird(act, known, look="await sync(F('Mil'))")


@kind("1,000 messages moved at once", TO_CASILLA)
def _many_move_there(run: Run) -> Measure:
    body = "const mil = F('Mil'), every = headers(mil); now(); await carry(mil, every, F('Mil 2'), true)"
    return run.to_casilla("document.querySelector('#list .m-bar') && !document.querySelector('#list .row')", body)


@kind("1,000 messages moved at once", TO_BIRD)
def _many_move_here(run: Run) -> Measure:
    run.casilla.show("Mil 2")
    run.bird.run(f"await sync(F('Mil 2')); await until(() => headers(F('Mil 2')).length == {MANY}, 60000)")
    form = {"do": "move", "to": _token("Mil"), "all": _next(run, "Mil 2")}
    act = lambda: run.casilla.post(run.casilla.path("Mil 2", "change/"), **form)  # noqa: E731
    return run.to_bird(act, "!headers(F('Mil 2')).length", look="await sync(F('Mil 2'))")


def _next(run: Run, name: str) -> str:
    """What the page sends with "all of this list"."""
    status = run.imap.folder_status(name, ["UIDVALIDITY", "UIDNEXT"])
    return f"{status[b'UIDVALIDITY']}.{status[b'UIDNEXT']}"


def _reset(run: Run, folder: str, name: str) -> None:
    """The server gives a folder that both programs know another UIDVALIDITY; what a third adds then is the sign."""
    run.renew(folder)
    run.imap.append(folder, fresh(f"after {name}"))


@kind("UIDVALIDITY reset", TO_CASILLA)
def _reset_there(run: Run) -> Measure:
    run.letter("before TC", folder="Obras/Norte")
    run.casilla.show("Obras/Norte")
    shown = (
        "[...document.querySelectorAll('#list .row__subj')].map(one => one.lastChild.textContent.trim()).sort().join()"
    )
    run.casilla.watch(f"({shown}).replaceAll(' ', '') === 'afterTC,beforeTC'")
    started = now_ms()
    _reset(run, "Obras/Norte", "TC")
    found = "by itself (the server resets it)", run.casilla.seen() - started
    run.casilla.show("INBOX")
    return found


@kind("UIDVALIDITY reset", TO_BIRD)
def _reset_here(run: Run) -> Measure:
    run.letter("before CT", folder="Obras/Sur")
    known = "by(F('Obras/Sur'), 'after CT') && headers(F('Obras/Sur')).length == 2"
    look = "await sync(F('Obras/Sur')).catch(() => sync(F('Obras/Sur')))"
    seen, delay_ms = run.to_bird(lambda: _reset(run, "Obras/Sur", "CT"), known, look=look)
    return f"{seen} (the server resets it)", delay_ms


# --- quota ------------------------------------------------------------------------------------------------------------

DIALOG_MS = 4_000
LARGE_BYTES = 3_000_000
ROOM_BYTES = 4_000_000


@kind("quota reached", TO_CASILLA)
def _quota_there(run: Run) -> Measure:
    """Thunderbird's copy is refused; then Casilla's is, which says why."""
    _fill_up(run)
    run.casilla.change("copy", "large", to=_token("Obras"))
    assert "over" in _refused_in_bird(run).lower()
    _outlive_the_dialog()
    started = now_ms()
    assert _refused_here(run)
    return "refused there too", now_ms() - started


@kind("quota reached", TO_BIRD)
def _quota_here(run: Run) -> Measure:
    """Casilla's copy is refused; then Thunderbird's is."""
    before = run.imap.folder_status("Obras", ["MESSAGES"])
    assert _refused_here(run)
    started = now_ms()
    _refused_in_bird(run)
    delay_ms = now_ms() - started
    _outlive_the_dialog()
    assert run.imap.folder_status("Obras", ["MESSAGES"]) == before
    return "refused there too", delay_ms


def _outlive_the_dialog() -> None:
    """A script goes on behind its dialog, and its end would be taken for the answer to the next one."""
    time.sleep(1.2 * DIALOG_MS / 1000)


def _refused_here(run: Run) -> bool:
    """Whether Casilla's copy of the large message is refused for want of room."""
    form = {"do": "copy", "ref": run.casilla.ref("large"), "to": _token("Obras")}
    return run.casilla.ask(run.casilla.path("INBOX", "change/"), form).status == 507


def _fill_up(run: Run) -> None:
    """A large message, and room for one more like it; both programs log in anew, because a quota is read then."""
    run.casilla.show("INBOX")
    head = fresh("large").partition(b"\r\n\r\n")[0]
    run.imap.append("INBOX", head + b"\r\n\r\n" + (b"x" * 70 + b"\r\n") * (LARGE_BYTES // 72))
    run.casilla.page.wait_for_function(f"() => {row('large')}", timeout=LETTER_MS)
    run.limit(ROOM_BYTES)
    run.imap = run.log_in()
    run.bird.run(
        "server.closeCachedConnections(); await sleep(1000); await sync(inbox); await until(() => by(inbox, 'large'))"
    )


def _refused_in_bird(run: Run) -> str:
    """What Thunderbird says when it copies the large message; its dialog ends the script."""
    copy = "carry(inbox, [by(inbox, 'large')], F('Obras'), false)"
    with contextlib.suppress(AssertionError):
        return str(run.bird.run(f"await {copy}.catch(() => 0); await sleep({DIALOG_MS}); return ''"))
    words = str(run.bird.bird.command("WebDriver:GetAlertText", {})["value"])
    run.bird.bird.command("WebDriver:AcceptAlert", {})
    return words
