#!/bin/sh
# Runs Courier IMAP beside Dovecot, whose Debian packages it conflicts with: its files are unpacked over a copy-on-write
# view of this machine that only this process sees. Run inside `unshare -m`, as root.
# usage: courier.sh FOLDER PORT ADDRESS PASSWORD   (FOLDER/root holds the unpacked packages)
set -eu
work=$1 port=$2 address=$3 password=$4
view="$work/tmp/view"
mount -t tmpfs tmpfs "$work/tmp"
mkdir -p "$work/tmp/upper" "$work/tmp/work" "$view"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/tmp/upper,workdir=$work/tmp/work" "$view"
for name in usr etc var; do
  [ ! -d "$work/root/$name" ] || cp -a "$work/root/$name/." "$view/$name/"
done
[ ! -d "$work/root/lib" ] || cp -a "$work/root/lib/." "$view/usr/lib/"
mount --rbind /dev "$view/dev"
mount --bind /proc "$view/proc"
cat > "$view/start.sh" <<END
set -eu
mkdir -p /var/mail/courier /var/run/courier/authdaemon /etc/courier
maildirmake.courier /var/mail/courier/Maildir
chown -R 5100:5100 /var/mail/courier
hash=\$(openssl passwd -6 "$password")
rm -rf /etc/courier/userdb
printf '%s\tuid=5100|gid=5100|home=/var/mail/courier|mail=/var/mail/courier/Maildir|systempw=%s\n' "$address" "\$hash" > /etc/courier/userdb
chmod 700 /etc/courier/userdb
/usr/sbin/makeuserdb
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' /etc/courier/authdaemonrc
set -a
. /etc/courier/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &
. /etc/courier/imapd
exec /usr/sbin/couriertcpd -address=127.0.0.1 -stderrlogger=/usr/sbin/courierlogger -nodnslookup -noidentlookup -maxprocs=60 -maxperip=60 \
  $port /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
END
exec chroot "$view" /bin/sh /start.sh
