"""Lists of the store whose rows are conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from webmail.models import LocalMessage


@dataclass(frozen=True, slots=True)
class Group:
    """One conversation of a list: its messages' primary keys, the newest first, and whether one is unread."""

    members: tuple[int, ...]
    unread: bool


def _groups(found: QuerySet[LocalMessage]) -> Any:  # django-stubs does not know annotated values
    return found.order_by().values("thread").annotate(newest=Max("date"))


def count_groups(found: QuerySet[LocalMessage]) -> int:
    return found.order_by().aggregate(number=Count("thread", distinct=True))["number"] or 0


def read_groups(found: QuerySet[LocalMessage], *, descending: bool, start: int, size: int) -> list[Group]:
    """A window of the conversations of a list, ordered by the newest message of each."""
    order = ("-newest", "-thread") if descending else ("newest", "thread")
    threads = [row["thread"] for row in _groups(found).order_by(*order)[start : start + size]]
    members: dict[int, list[tuple[int, bool]]] = {thread: [] for thread in threads}
    rows = found.filter(thread__in=threads).order_by("-date", "-pk").values_list("thread", "pk", "seen")
    for thread, pk, seen in rows:
        members[thread].append((pk, seen))
    return [
        Group(tuple(pk for pk, _seen in ones), unread=not all(seen for _pk, seen in ones))
        for ones in members.values()
        if ones
    ]


def neighbour_groups(
    found: QuerySet[LocalMessage], row: LocalMessage, *, descending: bool
) -> tuple[int, int | None, int | None, int]:
    """(position of the conversation of a row, newest message of the one before, of the one after, how many there are)."""
    groups = _groups(found)
    mine = groups.filter(thread=row.thread).order_by("thread").values_list("newest", flat=True).first()
    if mine is None:
        return -1, None, None, count_groups(found)
    newer = groups.filter(Q(newest__gt=mine) | Q(newest=mine, thread__gt=row.thread))
    older = groups.filter(Q(newest__lt=mine) | Q(newest=mine, thread__lt=row.thread))
    up = newer.order_by("newest", "thread").values_list("thread", flat=True).first()
    down = older.order_by("-newest", "-thread").values_list("thread", flat=True).first()
    before, after = (up, down) if descending else (down, up)
    position = (newer if descending else older).count()
    return position, _head(found, before), _head(found, after), count_groups(found)


def _head(found: QuerySet[LocalMessage], thread: int | None) -> int | None:
    if thread is None:
        return None
    return found.filter(thread=thread).order_by("-date", "-pk").values_list("pk", flat=True).first()


def together(found: QuerySet[LocalMessage], pks: Sequence[int]) -> list[int]:
    """All messages of a list that are in the conversations of these, thread by thread, the newest first."""
    threads = found.filter(pk__in=pks).order_by().values_list("thread", flat=True).distinct()
    rows = found.filter(thread__in=list(threads)).order_by("thread", "-date", "-pk")
    return list(rows.values_list("pk", flat=True))
