#!/bin/sh
# A real Courier IMAP beside the installed Dovecot, whose package it conflicts with: its packages are unpacked into FOLDER
# and laid over /usr and /etc in a mount namespace of this process alone. Stays in the foreground; all of it ends with it.
# Needs root.
#   courier.sh FOLDER PACKAGES PORT LOGIN PASSWORD
# FOLDER must not exist yet or be empty; PACKAGES keeps the downloaded .deb files for the next time.
set -eu
folder=$1 packages=$2 port=$3 login=$4 password=$5
names="courier-imap courier-base courier-authdaemon courier-authlib courier-authlib-userdb libcourier-unicode4
    gamin libgamin0 libgdbm6 libidn12 libltdl7 libpcre3"

. "${0%/*}/unpacked.sh"
# Without a name for the owner, client and server of the file watcher miss each other, which costs seconds each time.
{ cat /etc/passwd; echo 'courier-owner:x:5100:5100::/:/bin/false'; } >"$root/etc/passwd"
lay_over
mount --bind "$root/etc/courier" /etc/courier
mount -t tmpfs tmpfs /run
mkdir -p /run/courier/authdaemon "$folder/home"

hash=$(printf '%s' "$password" | openssl passwd -6 -stdin)
maildirmake.courier "$folder/home/Maildir"
chown -R 5100:5100 "$folder/home"
printf '%s\tuid=5100|gid=5100|home=%s|mail=%s/Maildir|systempw=%s\n' \
    "$login" "$folder/home" "$folder/home" "$hash" >/etc/courier/userdb
chmod 700 /etc/courier/userdb
makeuserdb

sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &

set -a
. /etc/courier/imapd
MAILDIRPATH=Maildir
IMAP_USELOCKS=0 # its locks wait for a file watcher
IMAP_IDLE_TIMEOUT=1 # and without one IDLE looks every minute
set +a
exec couriertcpd -address=127.0.0.1 -nodnslookup -noidentlookup -maxprocs=40 -maxperip=40 "$port" \
    /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
