"""Prints every entry below a directory as one JSON object per line, read with nothing but system calls.

Names and targets are latin-1 texts of their bytes, so that no name is beyond JSON. An entry that has
several hard links inside of the tree names the first of them as `links`.
"""
import hashlib
import json
import os
import stat
import sys

KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket",
}


def text(data):
    return data.decode("latin-1")


def content_hash(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def xattrs(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return {text(os.fsencode(name)): os.getxattr(path, name, follow_symlinks=False).hex() for name in names}


def describe(path, name, first_of_inode):
    info = os.lstat(path)
    kind = KINDS[stat.S_IFMT(info.st_mode)]
    entry = {
        "path": text(name), "kind": kind, "mode": stat.S_IMODE(info.st_mode), "uid": info.st_uid,
        "gid": info.st_gid, "mtimeNs": str(info.st_mtime_ns), "xattrs": xattrs(path),
    }
    if kind != "directory":
        entry["nlink"] = info.st_nlink
        first = first_of_inode.setdefault((info.st_dev, info.st_ino), entry["path"])
        if info.st_nlink > 1:
            entry["links"] = first
    if kind == "file":
        entry["size"] = info.st_size
        entry["sha256"] = content_hash(path)
    elif kind == "symlink":
        entry["target"] = text(os.readlink(path))
    elif kind.endswith("device"):
        entry["rdev"] = f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
    return entry


def walk(path, name, first_of_inode):
    entry = describe(path, name, first_of_inode)
    print(json.dumps(entry))
    if entry["kind"] == "directory":
        for child in sorted(os.listdir(path)):
            walk(os.path.join(path, child), os.path.join(name, child), first_of_inode)


sys.setrecursionlimit(100000)
walk(os.fsencode(sys.argv[1]), b"", {})
