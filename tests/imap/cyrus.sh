#!/bin/sh
# A real Cyrus IMAP beside the installed Dovecot, whose package it conflicts with: its packages are unpacked into FOLDER
# and laid over /usr and /etc in a mount namespace of this process alone. Stays in the foreground; all of it ends with it.
# Needs root.
#   cyrus.sh FOLDER PACKAGES PORT MUNGE8BIT
# FOLDER must not exist yet or be empty; PACKAGES keeps the downloaded .deb files for the next time. Mailboxes are made at
# their first login; passwords are in FOLDER/sasldb2 (see cyrus.py).
set -eu
folder=$1 packages=$2 port=$3 munge=$4
names="cyrus-imapd cyrus-common sasl2-bin libsasl2-2 libsasl2-modules libsasl2-modules-db libclamav12 libmspack0
    libical3 libpcre3 libzephyr4"

. "${0%/*}/unpacked.sh"
# The owner of the mail; Cyrus looks for its name.
{ cat /etc/passwd; echo 'cyrus:x:5200:5200::/:/bin/false'; } >"$root/etc/passwd"
{ cat /etc/group; echo 'cyrus:x:5200:'; } >"$root/etc/group"
lay_over
mount -t tmpfs tmpfs /run

mkdir -p "$folder/config/socket" "$folder/config/proc" "$folder/config/log" "$folder/mail"
: >"$folder/sasldb2.lock"
cat >"$folder/imapd.conf" <<END
configdirectory: $folder/config
partition-default: $folder/mail
defaultpartition: default
cyrus_user: cyrus
cyrus_group: cyrus
admins: jefe
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $folder/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
virtdomains: userid
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent|Drafts|Trash|Junk|Archive
autocreate_subscribe_folders: Sent|Drafts|Trash|Junk|Archive
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
xlist-archive: Archive
munge8bit: $munge # with "no" letters beyond ASCII in a header stay; else each octet becomes an X
END
cat >"$folder/cyrus.conf" <<END
START {
  recover cmd="ctl_cyrusdb -C $folder/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C $folder/imapd.conf -U 30" listen="127.0.0.1:$port" prefork=1
}
EVENTS {
}
DAEMON {
  idled cmd="idled -C $folder/imapd.conf"
}
END
chown -R 5200:5200 "$folder/config" "$folder/mail"
chown 5200:5200 "$folder/sasldb2"
# Not exec: Cyrus becomes another user, which takes away that it ends with its parent. This shell, the first process of the
# namespace, keeps that, and all the others end with it.
cyrmaster -C "$folder/imapd.conf" -M "$folder/cyrus.conf" -p "$folder/master.pid" -D &
wait $!
