"""A second reader of mailboxes, to hold Casilla's pages against: the standard library's IMAP client and mail parser, and none
of the tokenizer, the parsers and the caches that draw a page. It changes nothing, and no page is drawn from it."""
