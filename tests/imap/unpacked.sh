# For a server whose package conflicts with one that is installed: sourced by its script, which has set $folder, $packages and $names.
# Unpacks the packages into $folder/root, and starts the script anew in mount and process namespaces of its own.
root=$folder/root

fetch() (
    cd "$packages"
    get="apt-get -qq -o APT::Sandbox::User=root"
    $get download "$@" || { $get update && $get download "$@"; }
)

# Lays the packages over /usr and /etc, for this namespace alone.
lay_over() {
    mount --make-rprivate /
    mount -t overlay overlay -o "lowerdir=$root/usr:/usr" /usr
    mount -t overlay overlay -o "lowerdir=$root/etc:/etc" /etc
}

if [ "${UNPACKED:-}" != yes ]; then
    mkdir -p "$root" "$packages"
    exec 9>"$packages/.lock"
    flock 9
    missing=
    for name in $names; do
        ls "$packages/${name}"_*.deb >/dev/null 2>&1 || missing="$missing $name"
    done
    [ -z "$missing" ] || fetch $missing
    for name in $names; do
        for deb in "$packages/${name}"_*.deb; do dpkg -x "$deb" "$root"; done
    done
    exec 9>&-
    [ ! -d "$root/lib" ] || cp -a "$root/lib/." "$root/usr/lib/"
    UNPACKED=yes exec unshare --mount --pid --fork --kill-child -- sh "$0" "$@"
fi
