"""Casilla for mailbench (see `make bench`): each action sends what Casilla's pages send, and checks the answer.

What the browser asks for before a person sees the result is waited for, and is the action's time. What it asks for after
that (the rest of the conversation of an opened message, what an event from the server makes it read again) goes out on
connections of its own and is not waited for; its cost is in the CPU figures all the same. The stream of live events is
open from the first list on, as it is in a browser.
"""

from __future__ import annotations

import asyncio
import html
import itertools
import json
import os
import re
import secrets
import time
from pathlib import Path
from urllib.parse import urlencode

from mailbench import services
from mailbench.adapters.base import Adapter
from mailbench.gen import mutf7
from mailbench.httpc import Client

BASE = Path(__file__).resolve().parent.parent
PYTHON = str(BASE / ".venv" / "bin" / "python")
DOMAIN = "bench.example"
REDIS_PORT = int(os.environ.get("CASILLA_BENCH_REDIS", "18020"))
SIDES = 4  # a browser has six connections to a server: one for the stream, one for what is waited for
CONVERSATION_S = 0.4
GATHER_S = 0.01  # as in static/js/live.js

ROW = re.compile(r'<li class="row"[^>]* data-ref="([0-9]+)\.([0-9]+)')
MESSAGE = re.compile(r'<article [^>]*data-ref="([0-9]+)\.([0-9]+)"')
FRAME = re.compile(r'<iframe [^>]*src="([^"]+)"')
CONVERSATION = re.compile(r'id="thread-older" hx-get="([^"]+)"')
TOKEN = re.compile(r'"X-CSRFToken": "([^"]+)"')
FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
MORE = re.compile(r'data-behaviour="search" data-url="([^"]+)" data-found="([0-9]+)" data-more')
FOUND = re.compile(r'data-behaviour="search" data-url="[^"]+" data-found="([0-9]+)"')
HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


_spellings = itertools.count(1)


def spelled(word: str) -> str:
    """A word in small and capital letters as no search before had it: 2,048 ways for eleven letters."""
    number = next(_spellings)
    return "".join(letter.upper() if number >> at & 1 else letter for at, letter in enumerate(word))


def token_of(folder: str) -> str:
    """A folder as it stands in Casilla's addresses."""
    import base64

    return base64.urlsafe_b64encode(mutf7(folder).encode()).rstrip(b"=").decode()


class Ours(Adapter):
    name = "ours"
    web_services = ("ours",)
    can_threads = True

    @classmethod
    def restart(cls, counted: bool = False) -> None:
        services.stop("ours")
        root = Path(services.ROOT) / "ours"
        (root / "ready").unlink(missing_ok=True)
        imap = services.P["proxy" if counted else "imap"]
        line = [PYTHON, str(BASE / "bench" / "launch.py"), str(root)]
        services.spawn("ours", [*line, str(services.P["ours"]), str(REDIS_PORT), str(imap)], env=dict(os.environ))
        until = time.time() + 120
        while not (root / "ready").exists():
            if time.time() > until or services.read_pid("ours") is None:
                raise RuntimeError(f"Casilla did not start: see {services.LOG}/ours.out")
            time.sleep(0.05)
        (root / "way").write_text(str(counted))

    @classmethod
    def goes_by_proxy(cls) -> bool | None:
        """Whether the running Casilla goes by the counting proxy; None when none runs."""
        way = Path(services.ROOT) / "ours" / "way"
        if services.read_pid("ours") is None or not way.exists():
            return None
        return way.read_text() == "True"

    @classmethod
    def reset(cls) -> None:
        """Forgets every cache and every session."""
        cls.restart()
        import redis

        redis.Redis(port=REDIS_PORT).flushall()

    async def open_session(self) -> None:
        if self.goes_by_proxy() is not self.counted:
            await asyncio.to_thread(self.restart, self.counted)
        self.c = Client(self.base_url)
        self.sides: list[Client] = []
        self.free: asyncio.Queue[Client] = asyncio.Queue()
        for _ in range(SIDES):
            side = Client(self.base_url)
            side.cookies = self.c.cookies
            self.sides.append(side)
            self.free.put_nowait(side)
        self.tasks: set[asyncio.Task] = set()
        self.streams: list[asyncio.StreamWriter] = []
        self.folder, self.threads, self.open_ref, self.validity, self.mark = "INBOX", False, "", {}, ""
        self.events, self.watched, self.shown = 0, False, ""
        self.filtered = False
        self.own = secrets.token_hex(12)
        self.c.headers["X-Page"] = self.own
        answer = await self.c.get("/accounts/login/")
        self.field = FIELD.search(answer.text())[1]

    async def login(self, user: str, password: str) -> None:
        form = {"login": f"{user}@{DOMAIN}", "password": password, "csrfmiddlewaretoken": self.field}
        answer = await self.c.post("/accounts/login/", form, headers={"Origin": self.c.base})
        assert answer.status == 200 and b'id="mail"' in answer.body, (answer.status, answer.body[:300])
        self.page = answer
        self.account = re.search(r"/mail/([0-9]+)/", answer.url)[1]
        self.c.headers["X-CSRFToken"] = TOKEN.search(html.unescape(answer.text()))[1]
        self.listen()

    async def first_list(self) -> list[str]:
        """The page that signing in led to is the first list, with the folders and their counts."""
        assert b'id="tree"' in self.page.body
        return self._rows(self.page)

    def _url(self, folder: str, rest: str = "") -> str:
        return f"/mail/{self.account}/f/{token_of(folder)}/{rest}"

    def _rows(self, answer) -> list[str]:
        assert answer.status == 200, (answer.status, answer.body[:200])
        found = ROW.findall(answer.text())
        if found:
            self.validity[self.folder] = found[0][0]
        return [uid for _validity, uid in found]

    async def list(self, folder, page=1, sort="date", desc=True, threads=False):
        params = {}
        if sort != "date":
            params["sort"] = sort
        if (sort not in {"from", "to", "subject"}) != desc:
            params["dir"] = "desc" if desc else "asc"
        jump = page > 1 and folder == self.folder and threads == self.threads
        if threads != self.threads:
            params["threads"] = "1" if threads else "0"
        self.folder, self.threads, self.filtered = folder, threads, False
        if jump:  # the list grows as it is scrolled
            params["start"] = (page - 1) * 50
            params["role"] = "inbox" if folder == "INBOX" else ""
            return self._rows(
                await self.c.get(self._url(folder, "rows/"), params, headers={"X-Requested-With": "fetch"})
            )
        if page > 1:
            params["start"] = (page - 1) * 50
        return self._rows(await self.c.get(self._url(folder), params, headers={**HTMX, "HX-Target": "list"}))

    async def open(self, folder, uid):
        url = self._url(folder, f"m/{self._validity(folder)}.{uid}/")
        answer = await self.c.get(url, headers={**HTMX, "HX-Target": "reader"})
        text = answer.text()
        found = MESSAGE.search(text)
        assert answer.status == 200 and found and found[2] == uid, (answer.status, answer.body[:300])
        self.open_ref = f"{found[1]}.{found[2]}"
        body = answer.body
        for source in FRAME.findall(text):
            frame = await self.c.get(html.unescape(source), headers={"Sec-Fetch-Site": "same-origin"})
            assert frame.status == 200
            body += frame.body
        if rest := CONVERSATION.search(text):
            self.later(html.unescape(rest[1]), answer.url)
        if b"data-recount" in answer.body and not self.watched:
            self.beside(self._part_url(), HTMX)
        self.shown = answer.url
        return body

    def later(self, url: str, shown: str) -> None:
        """The rest of a conversation is asked for when the message is still open a moment later."""

        async def wait() -> None:
            await asyncio.sleep(CONVERSATION_S)
            if self.shown == shown:
                await self._beside(url, HTMX)

        task = asyncio.create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _validity(self, folder: str) -> str:
        return self.validity.get(folder) or next(iter(self.validity.values()))

    async def _change(self, folder, do, uids, **more):
        refs = ",".join(f"{self._validity(folder)}.{uid}" for uid in uids)
        data = {"do": do, "refs": refs, "open": self.open_ref, **more}
        answer = await self.c.post(self._url(folder, "change/"), data, headers={**HTMX, "HX-Target": "toasts"})
        assert answer.status == 200 and b"data-failed" not in answer.body, (answer.status, answer.body[:300])
        assert b"data-nothing" not in answer.body, answer.body[:300]
        return answer

    async def flag(self, folder, uid, on=True):
        """The page shows it already; the toast is all that comes (static/js/shown.js)."""
        await self._change(folder, "star" if on else "unstar", [uid])

    async def move(self, folder, uids, target):
        await self._change(folder, "move", uids, to=token_of(target))
        await self._read_rows(folder)

    async def _read_rows(self, folder):
        """The list is read again where it stands (static/js/list.js)."""
        answer = await self.c.get(
            self._url(folder, "rows/"), {"start": 0, "role": "inbox"}, headers={"X-Requested-With": "fetch"}
        )
        assert answer.status == 200

    async def search(self, folder, field, text):
        """The list of a search. One in the text of messages goes on until everything is searched, as a page asks for it; each
        time the word is spelled otherwise, because what was found for one is kept for a day (servers take both cases for one)."""
        self.filtered = True
        params = {"q": spelled(text), "body": "1"} if field == "body" else {"q": text}
        answer = await self.c.get(self._url(folder), params, headers={**HTMX, "HX-Target": "list"})
        assert answer.status == 200, answer.status
        total = re.search(r'data-total="([0-9]+)"', answer.text())
        found = int(total[1]) if total else 0
        while more := MORE.search(answer.text()):
            answer = await self.c.get(html.unescape(more[1]), headers={"X-Requested-With": "fetch"})
            assert answer.status == 200, answer.status
            found = int(more[2])
        return int(told[1]) if (told := FOUND.search(answer.text())) else found

    def _part_url(self) -> str:
        query = {"current": token_of(self.folder), "after": self.mark, "open": self.open_ref}
        return f"/mail/{self.account}/live/part/?{urlencode(query)}"

    async def unread(self):
        answer = await self.c.get(self._part_url(), headers=HTMX)
        assert answer.status == 200, answer.status
        return len(re.findall(r'<li data-folder="', answer.text()))

    # --- what goes on beside ----------------------------------------------------------------------------------------

    def beside(self, url: str, headers: dict[str, str]) -> None:
        task = asyncio.create_task(self._beside(url, headers))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _beside(self, url: str, headers: dict[str, str]) -> None:
        client = await self.free.get()
        try:
            answer = await client.get(url, headers=headers)
            assert answer.status in {200, 410}, (url, answer.status)
        finally:
            self.free.put_nowait(client)

    def listen(self) -> None:
        task = asyncio.create_task(self._listen())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _listen(self) -> None:
        """The stream of events; what they make a page ask for is asked for (static/js/live.js)."""
        reader, writer = await asyncio.open_connection(self.c.host, self.c.port)
        self.streams.append(writer)
        cookies = "; ".join(f"{name}={value}" for name, value in self.c.cookies.items())
        path = f"/mail/{self.account}/live/?" + urlencode({"f": token_of("INBOX")})
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {self.c.host}:{self.c.port}",
            f"Cookie: {cookies}",
            "Accept: text/event-stream",
        ]
        writer.write(("\r\n".join([*lines, "Sec-Fetch-Site: same-origin"]) + "\r\n\r\n").encode())
        kind = ""
        due: asyncio.Task | None = None
        try:
            while line := await reader.readline():
                text = line.decode().strip()
                if text.startswith("event:"):
                    kind = text[6:].strip()
                elif text.startswith("data:") and kind == "state":
                    self.watched = text[5:].strip() == "live"
                elif text.startswith("data:") and kind == "change":
                    self.events += 1
                    event = json.loads(text[5:])
                    if event.get("by") == self.own and not (self.threads or self.filtered):
                        continue  # the page shows what it did itself, and the event brings the numbers
                    folder = event.get("folder", "")
                    rows = folder in {"", token_of(self.folder)}
                    if due is None or due.done():
                        due = asyncio.create_task(self._follow(rows))
                        self.tasks.add(due)
                        due.add_done_callback(self.tasks.discard)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            return

    async def _follow(self, rows: bool) -> None:
        await asyncio.sleep(GATHER_S)
        if rows:
            await self._beside(self._url(self.folder, "rows/?start=0&role=inbox"), {"X-Requested-With": "fetch"})
        await self._beside(self._part_url(), HTMX)

    async def close(self):
        for writer in self.streams:
            writer.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for client in (self.c, *self.sides):
            await client.close()

    def http_counters(self):
        clients = (self.c, *self.sides)
        return {
            "requests": sum(client.requests for client in clients),
            "bytes_in": sum(client.bytes_in for client in clients),
            "bytes_out": sum(client.bytes_out for client in clients),
        }


if __name__ == "__main__":
    Ours.restart()
