"""The edge to servers that take mail: smtplib's dialogue, with limits of our own."""
