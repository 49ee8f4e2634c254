import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import type { ImageDescription } from './imageArchive.ts';
import type { TarItem } from './tarWriter.ts';

const PROGRAMS = {
  sh: '/bin/sh',
  cat: '/bin/cat',
  ls: '/bin/ls',
  stat: '/usr/bin/stat',
  sleep: '/bin/sleep',
};

/**
 * A small image that runs: a shell and a few programs of this machine with their libraries, and a second
 * layer with a whiteout, an opaque directory, a hard link, a replaced directory and odd modes.
 */
export function tinyImage(name = 'localhost/tiny:1'): ImageDescription {
  return {
    names: [name],
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    layers: [baseLayer(), changesLayer()],
  };
}

function baseLayer(): TarItem[] {
  const files = new Map<string, Buffer>();
  for (const [name, path] of Object.entries(PROGRAMS)) {
    files.set(`bin/${name}`, readFileSync(realpathSync(path)));
    for (const library of librariesOf(path)) files.set(library.slice(1), readFileSync(realpathSync(library)));
  }
  const directories = ['tmp', 'etc', 'etc/old', 'etc/emptied', 'etc/replaced', 'proc', 'sys', 'dev'];
  for (const file of files.keys()) {
    for (let parent = posix.dirname(file); parent !== '.'; parent = posix.dirname(parent))
      directories.push(parent);
  }
  return [
    ...[...new Set(directories)]
      .sort()
      .map(
        (name): TarItem => ({ name: `${name}/`, type: 'directory', mode: name === 'tmp' ? 0o1777 : 0o755 }),
      ),
    ...[...files].map(([name, content]): TarItem => ({ name, content, mode: 0o755 })),
    { name: 'etc/old/gone', content: 'deleted by the second layer\n' },
    { name: 'etc/emptied/hidden', content: 'hidden by the second layer\n' },
    { name: 'etc/replaced/child', content: 'replaced by the second layer\n' },
    { name: 'etc/motd', content: 'first\n', pax: { mtime: '1600000000.123456789' } },
  ];
}

function changesLayer(): TarItem[] {
  return [
    { name: 'etc/', type: 'directory' },
    { name: 'etc/old/', type: 'directory', mode: 0o2750, gid: 42 },
    { name: 'etc/old/.wh.gone' },
    { name: 'etc/emptied/', type: 'directory' },
    { name: 'etc/emptied/.wh..wh..opq' },
    { name: 'etc/emptied/new', content: 'new\n' },
    { name: 'etc/replaced', type: 'symlink', linkname: 'motd' },
    { name: 'etc/motd', content: 'second\n', uid: 1000, gid: 1000, mode: 0o600 },
    { name: 'etc/motd.link', type: 'hardlink', linkname: 'etc/motd', uid: 1000, gid: 1000, mode: 0o600 },
    { name: 'etc/setuid', content: '#!/bin/sh\n', mode: 0o4755 },
    { name: 'etc/tagged', content: 'tagged\n', pax: { 'SCHILY.xattr.user.note': 'an attribute' } },
    { name: 'etc/fifo', type: 'fifo' },
    { name: `etc/${'long'.repeat(40)}`, content: 'a name of more than a hundred bytes\n' },
  ];
}

/** The libraries that a program loads, its interpreter included. */
function librariesOf(program: string): string[] {
  const output = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...output.matchAll(/(\/[^\s()]+) \(0x/g)].map(([, path]) => path as string);
}
