"""What the mail server's log says of the programs that use a mailbox: pure reading, no database and no clock."""
