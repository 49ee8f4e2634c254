#!/bin/sh
# Makes an image of several layers as one meets them: a Debian of debootstrap, packages installed and removed
# with apt, and changes of every kind. Run in a mount namespace of its own.
#
# usage: debootstrapImage.sh WORK SUITE MIRROR BUILDAH
#   WORK     an empty directory, gets image.oci.tar and image.docker.tar
#   BUILDAH  path of the program
set -eu
work=$1 suite=$2 mirror=$3 program=$4
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
image=localhost/debian-with-layers:1

buildah() {
  "$program" --root "$work/graph" --runroot "$work/run" --storage-driver overlay "$@"
}

# a working container on the image so far, mounted at $root
begin() {
  container=$(buildah from "$parent")
  root=$(buildah mount "$container")
}

# the changes since begin become a layer
commit() {
  buildah umount "$container" >/dev/null
  buildah commit --quiet --rm "$container" "$image" >/dev/null
  parent=$image
}

# inside COMMAND…: runs in the tree, which sees the processes and devices of the host meanwhile
inside() {
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  chroot "$root" "$@"
  umount --recursive "$root/dev"
  umount "$root/proc"
}

parent=scratch
begin
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/debootstrap.log"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
commit

begin
inside apt-get -qq update
# ping gets a capability by setcap, sudo is setuid
inside apt-get -qq install -y --no-install-recommends iputils-ping sudo >"$work/apt.log"
commit

begin
inside apt-get -qq install -y --no-install-recommends bzip2 less >>"$work/apt.log"
commit

begin
inside apt-get -qq purge -y less >>"$work/apt.log"
rm -r "$root"/var/lib/apt/lists/* "$root/usr/share/doc" "$root/var/cache/apt"
commit

begin
cd "$root"
# a directory becomes a link, a file, and an emptied directory of the same name
rm -r usr/share/common-licenses etc/skel usr/share/zoneinfo
ln -s doc usr/share/common-licenses
echo file >etc/skel
mkdir usr/share/zoneinfo
echo new >usr/share/zoneinfo/new
# a file becomes a directory
rm etc/issue
mkdir etc/issue
echo inside >etc/issue/inside
# links: of a file of a lower layer, and across directories
ln etc/debian_version etc/debian_version.link
echo linked >opt/linked
ln opt/linked srv/linked
ln opt/linked var/linked
# attributes, capabilities, devices, modes, owners
cp bin/ls opt/ls
setcap cap_net_bind_service,cap_dac_override+ep opt/ls
setfattr -n user.comment -v 'a user attribute' opt/linked
mknod opt/null c 1 3
mknod opt/block b 7 0
mkfifo opt/fifo
mkdir -m 2775 opt/setgid
mkdir -m 1777 opt/sticky
chown 1234:4321 opt/setgid
chmod 6755 opt/ls
touch -d '1999-12-31 23:59:59.987654321' opt/old
printf 'name of bytes' >"opt/$(printf 'latin1-\351')"
truncate --size=1M opt/sparse
# only attributes of what lower layers hold
chmod 700 root
chown 5:6 etc/hostname
cd /
commit

buildah push --quiet "$image" "oci-archive:$work/image.oci.tar:$image"
buildah push --quiet "$image" "docker-archive:$work/image.docker.tar:$image"
