"""The parts of the REST API that are about a mailbox's own settings: where its mail lives, vacation reply, filters."""
