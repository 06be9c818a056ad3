"""Kinds of change that come from writing: answers, what is passed on, drafts, what was sent."""

from __future__ import annotations

from typing import Any

from tests.clients.kinds import Measure, Run, _token, kind
from tests.clients.sides import no_row, row
from tests.clients.table import TO_BIRD, TO_CASILLA

FETCH = {"X-Requested-With": "fetch"}
OPEN = """
MailServices.compose.OpenComposeWindow(null, one, where.getUriForMsg(one), Ci.nsIMsgCompType[args[1]],
  Ci.nsIMsgCompFormat.PlainText, account.defaultIdentity, null, main.msgWindow, null, false);
const w = await until(compose);
await until(() => w.composeEditorReady);
"""
NEW = """
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
Object.assign(fields, { to: args[0], subject: args[1], body: "Hola", forcePlainText: true });
Object.assign(params, { composeFields: fields, type: Ci.nsIMsgCompType.New, format: Ci.nsIMsgCompFormat.PlainText,
  identity: account.defaultIdentity });
MailServices.compose.OpenComposeWindowWithParams(null, params);
const w = await until(compose);
await until(() => w.composeEditorReady);
"""
SEND = "now(); w.goDoCommand('cmd_sendNow'); await until(() => !compose(), 30000);"
CLOSE = "w.close(); await until(() => !compose());"


def begin(run: Run, query: str = "") -> str:
    """Opens a composer; its address."""
    page = run.casilla.page.context.request.get(
        f"{run.casilla.url}/mail/{run.casilla.account_id}/compose/{query}", max_redirects=0
    )
    return str(page.headers["location"])


def save(run: Run, url: str, **fields: str) -> None:
    run.casilla.post(url, do="save", plain="1", **fields)


def send(run: Run, url: str, **fields: str) -> None:
    run.casilla.post(url, do="send", plain="1", **fields)
    run.work()


def _answered(name: str, type_: str, kind_: str, icon: str, known: str, extra: dict[str, Any]) -> None:
    @kind(name, TO_CASILLA)
    def _there(run: Run) -> Measure:
        subject = f"{name} TC"
        run.letter(subject)
        body = f"const where = inbox, one = by(inbox, args[0]); {OPEN}"
        body += "w.SetComposeDetails ? w.SetComposeDetails({ to: args[2] }) : (w.gMsgCompose.compFields.to = args[2]);"
        return run.to_casilla(
            row(subject, f'use[href$="#{icon}"]'),
            body + SEND,
            subject,
            type_,
            f"nadie@{run.address.rpartition('@')[2]}",
        )

    @kind(name, TO_BIRD)
    def _here(run: Run) -> Measure:
        subject = f"{name} CT"
        run.letter(subject)
        url = begin(run, f"?kind={kind_}&folder={_token('INBOX')}&of={run.casilla.ref(subject)}")
        act = lambda: send(run, url, to=run.address, subject=f"Sobre {name}", text="Hola")  # noqa: E731
        return run.to_bird(act, f"(one => one && ({known}))(by(inbox, args[0]))", subject)


_answered("answer", "ReplyToSender", "reply", "reply", "one.flags & 2", {})
_answered("forward", "ForwardInline", "forward", "forward", "one.flags & 0x1000", {})


@kind("message sent", TO_CASILLA)
def _sent_there(run: Run) -> Measure:
    run.casilla.show("Sent")
    found = run.to_casilla(row("sent TC"), NEW + SEND, run.address, "sent TC")
    run.casilla.show("INBOX")
    return found


@kind("message sent", TO_BIRD)
def _sent_here(run: Run) -> Measure:
    url = begin(run)
    act = lambda: send(run, url, to=run.address, subject="sent CT", text="Hola")  # noqa: E731
    return run.to_bird(act, "by(folder(0x200), 'sent CT')", look="await sync(folder(0x200))")


@kind("draft saved", TO_CASILLA)
def _draft_there(run: Run) -> Measure:
    run.casilla.show("Drafts")
    return run.to_casilla(row("draft TC"), NEW + "now(); await saved(w);" + CLOSE, "beto@afuera.test", "draft TC")


@kind("draft gone on with", TO_CASILLA)
def _draft_on_there(run: Run) -> Measure:
    body = "const where = folder(DRAFTS); await sync(where); const one = by(where, args[0]);" + OPEN
    body += 'w.document.getElementById("msgSubject").value = "draft, second TC"; now(); await saved(w);' + CLOSE
    shown = f"({row('draft, second TC')}) && {no_row('draft TC')}"
    return run.to_casilla(shown, body, "draft TC", "Draft")


@kind("draft saved", TO_BIRD)
def _draft_here(run: Run) -> Measure:
    url = begin(run)
    act = lambda: save(run, url, to="beto@afuera.test", subject="draft CT", text="Hola")  # noqa: E731
    return run.to_bird(act, "by(folder(DRAFTS), 'draft CT')", look="await sync(folder(DRAFTS))")


@kind("draft gone on with", TO_BIRD)
def _draft_on_here(run: Run) -> Measure:
    run.casilla.show("Drafts")
    url = begin(run, f"?kind=edit&folder={_token('Drafts')}&of={run.casilla.ref('draft CT')}")
    act = lambda: save(run, url, to="beto@afuera.test", subject="draft, second CT", text="Hola")  # noqa: E731
    known = "by(folder(DRAFTS), 'draft, second CT') && !by(folder(DRAFTS), 'draft CT')"
    found = run.to_bird(act, known, look="await sync(folder(DRAFTS))")
    run.casilla.show("INBOX")
    return found
