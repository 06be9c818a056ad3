"""Which parts are read, which are attachments, and which rows get a paper clip."""

import pytest

from webmail.mime.choose import choose_bodies, find_html, find_plain, has_attachment
from webmail.values import Part, PartNumber


def leaf(kind: str, **more) -> Part:
    type_, subtype = kind.split("/")
    return Part(PartNumber(""), type_, subtype, **{"size_bytes": 100, **more})


def multi(subtype: str, *children: Part) -> Part:
    return Part(PartNumber(""), "multipart", subtype, children=children)


PLAIN = leaf("text/plain")
HTML = leaf("text/html")
PDF = leaf("application/pdf", disposition="attachment", filename="a.pdf")
LOGO = leaf("image/png", cid="logo", disposition="inline", filename="logo.png")
PHOTO = leaf("image/jpeg", filename="photo.jpg")
INVITE = leaf("text/calendar")
SIGNATURE = leaf("application/pgp-signature", filename="signature.asc")
SMIME = leaf("application/pkcs7-signature", disposition="attachment", filename="smime.p7s")
MAIL = leaf("message/rfc822", children=(PLAIN,))
NOTES = leaf("text/plain", disposition="attachment", filename="notes.txt")
NAMED = leaf("text/plain", filename="body.txt")
INLINE = leaf("text/plain", disposition="inline", filename="inline.txt")
EMPTY = leaf("text/html", size_bytes=2)
AMP = leaf("text/x-amp-html")
STATUS = leaf("message/delivery-status")
HEADERS = leaf("text/rfc822-headers")

CASES = {
    "plain alone": (PLAIN, [PLAIN], [], False),
    "html alone": (HTML, [HTML], [], False),
    "a file alone": (PDF, [], [PDF], True),
    "an image alone": (PHOTO, [], [PHOTO], True),
    "a text that is attached": (NOTES, [], [NOTES], True),
    "a named text alone is read": (NAMED, [NAMED], [], True),
    "alternative gives html": (multi("alternative", PLAIN, HTML), [HTML], [], False),
    "html before plain": (multi("alternative", HTML, PLAIN), [HTML], [], False),
    "an empty html is passed over": (multi("alternative", PLAIN, EMPTY), [PLAIN], [], False),
    "amp is never a file": (multi("alternative", PLAIN, AMP, HTML), [HTML], [], False),
    "an invitation is listed": (multi("alternative", PLAIN, HTML, INVITE), [HTML], [INVITE], False),
    "an empty alternative": (multi("alternative"), [], [], False),
    "related": (multi("related", HTML, LOGO), [HTML], [LOGO], False),
    "related after its image": (multi("related", LOGO, HTML), [HTML], [LOGO], False),
    "alternative in related": (multi("related", multi("alternative", PLAIN, HTML), LOGO), [HTML], [LOGO], False),
    "related in alternative": (multi("alternative", PLAIN, multi("related", HTML, LOGO)), [HTML], [LOGO], False),
    "a file inside the html alternative": (multi("alternative", PLAIN, multi("mixed", HTML, PDF)), [HTML], [PDF], True),
    "a file inside the plain alternative": (
        multi("alternative", multi("mixed", PLAIN, PDF), HTML),
        [HTML],
        [PDF],
        True,
    ),
    "texts and files in order": (multi("mixed", PLAIN, PDF, HTML), [PLAIN, HTML], [PDF], True),
    "attached and inline texts": (multi("mixed", PLAIN, NOTES, INLINE), [PLAIN, INLINE], [NOTES], True),
    "a named text beside a body": (multi("mixed", PLAIN, NAMED), [PLAIN], [NAMED], True),
    "a message inside": (multi("mixed", PLAIN, MAIL), [PLAIN], [MAIL], True),
    "pgp signed": (multi("signed", PLAIN, SIGNATURE), [PLAIN], [SIGNATURE], False),
    "s/mime signed": (multi("signed", multi("alternative", PLAIN, HTML), SMIME), [HTML], [SMIME], False),
    "signed with a file": (multi("signed", multi("mixed", PLAIN, PDF), SMIME), [PLAIN], [PDF, SMIME], True),
    "encrypted": (
        multi("encrypted", leaf("application/pgp-encrypted"), leaf("application/octet-stream")),
        [],
        None,
        False,
    ),
    "a report": (multi("report", PLAIN, STATUS, HEADERS), [PLAIN], [STATUS, HEADERS], False),
    "a bounce with its message": (multi("report", PLAIN, STATUS, MAIL), [PLAIN], [STATUS, MAIL], False),
    "a digest": (multi("digest", MAIL, MAIL), [], [MAIL, MAIL], True),
    "an unknown multipart": (multi("x-strange", PLAIN, PDF), [PLAIN], [PDF], True),
    "an empty multipart": (multi("mixed"), [], [], False),
    "empty multiparts inside": (multi("mixed", multi("related"), multi("signed"), PLAIN), [PLAIN], [], False),
    "an inline picture in mixed": (multi("mixed", HTML, LOGO), [HTML], [LOGO], True),
    "a picture without a cid in related": (multi("related", HTML, PHOTO), [HTML], [PHOTO], True),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reader_sees_the_right_parts(name):
    structure, shown, files, clip = CASES[name]
    bodies, attachments = choose_bodies(structure)
    assert list(bodies) == shown
    assert files is None or list(attachments) == files
    assert has_attachment(structure) is clip


def test_500_texts_are_not_all_opened_at_once_but_all_are_there():
    texts = [leaf("text/plain", description=str(number)) for number in range(500)]
    bodies, attachments = choose_bodies(multi("mixed", *texts))
    assert [*bodies, *attachments] == texts
    assert len(bodies) == 20


def test_a_tree_deeper_than_any_stack_is_survived():
    tree = PLAIN
    for _level in range(400):
        tree = multi("mixed", tree)
    assert choose_bodies(tree) == ((), ())
    assert has_attachment(tree) is False
    assert find_plain(tree) is None


def test_snippets_come_from_the_plain_text_or_else_the_html():
    tree = multi("mixed", multi("alternative", PLAIN, HTML), NOTES)
    assert find_plain(tree) is PLAIN
    assert find_html(tree) is HTML
    assert find_plain(multi("mixed", MAIL, NOTES)) is None
