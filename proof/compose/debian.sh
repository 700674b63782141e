# Sourced by engine and images: packages of a Debian release that is not the machine's own, unpacked without installing them.

# Pinned to a stable release: within one, Debian keeps a program's version and only repairs it.
debian_release=trixie

# debian_unpack FOLDER PACKAGE…: unpacks the packages into a folder.
debian_unpack() {
    local folder=$1 work keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    shift
    command -v apt-get >/dev/null && [ -e "$keyring" ] || {
        echo "$0: takes $* from Debian's packages, which needs apt-get and $keyring" >&2
        return 1
    }
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$folder"
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian $debian_release main" >"$work/sources.list"
    # A root of its own: neither the machine's sources nor what is installed there has a say.
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root)
    (
        cd "$work"
        "${apt[@]}" update
        "${apt[@]}" download "$@"
        for package in ./*.deb; do
            dpkg-deb --extract "$package" "$folder"
        done
    )
    rm -rf "$work"
}
