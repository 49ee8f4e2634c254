#!/bin/sh
# Installs the programs that the peer tests compare with (podman and its relatives) and the tools that those
# tests use. Asks the package manager only when something is missing.
set -eu

# command (or file) : Debian package
wanted='
podman:podman
skopeo:skopeo
buildah:buildah
containers-storage:containers-storage
umoci:umoci
crun:crun
tar-split:tar-split
getfattr:attr
debootstrap:debootstrap
jq:jq
strace:strace
gzip:gzip
pigz:pigz
zstd:zstd
igzip:isal
xz:xz-utils
bzip2:bzip2
setcap:libcap2-bin
mkfs.ext4:e2fsprogs
mkfs.xfs:xfsprogs
mkfs.btrfs:btrfs-progs
unshare:util-linux
mount:mount
python3:python3
'

PATH=$PATH:/usr/sbin:/sbin
missing=
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
if [ -z "$missing" ]; then
  echo 'install-peers: everything is there'
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "install-peers: error: this is no Debian; install with your package manager:$missing" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-peers: error: needs root to install:$missing" >&2
  exit 1
fi

echo "install-peers: installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
# shellcheck disable=SC2086 # a list of package names
apt-get -q install -y --no-install-recommends $missing
