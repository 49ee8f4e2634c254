import type { EntrySpec } from './tarBuilder.ts';

/** cap_net_raw=ep, revision 2, as setcap writes it. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const LATIN1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A layer with everything in it. */
export const BASE: EntrySpec[] = [
  { name: './', mode: 0o711, uid: 3, gid: 4, mtime: 5 },
  { name: 'etc/', mtime: 100 },
  { name: 'etc/gone', data: 'deleted by the next layer' },
  { name: 'etc/replaced/', mtime: 106 },
  { name: 'etc/emptied/', mtime: 107 },
  { name: 'etc/replaced/child/deep', data: 'replaced by the next layer' },
  { name: 'etc/emptied/hidden/f', data: 'hidden by the next layer' },
  { name: 'etc/kept', data: 'kept', mode: 0o640, gid: 42, pax: { mtime: '1600000000.123456789' } },
  { name: 'bin/', mtime: 101 },
  { name: 'bin/su', mode: 0o4755, data: 'suid', mtime: 7 },
  { name: 'bin/ping', mode: 0o755, data: 'cap', pax: { 'SCHILY.xattr.security.capability': CAPABILITY } },
  { name: 'bin/sg', mode: 0o2711, uid: 1000, gid: 1001, data: 'sgid' },
  { name: 'bin/link', type: 'link', link: 'bin/ping', mode: 0o711, uid: 9, mtime: 9 },
  { name: 'bin/sh', type: 'symlink', link: '/bin/su', uid: 1, gid: 2, pax: { mtime: '-3.25' } },
  { name: 'bin/lnlink', type: 'link', link: 'bin/sh', mtime: 11 },
  { name: 'dev/', mode: 0o2775, gid: 50, mtime: 102 },
  { name: 'dev/null', type: 'char', mode: 0o666, major: 1, minor: 3 },
  { name: 'dev/sda', type: 'block', mode: 0o660, gid: 6, major: 259, minor: 300 },
  { name: 'dev/pipe', type: 'fifo', mode: 0o1622, uid: 7, mtime: 12 },
  { name: 'dev/inherits/f', data: 'in a set-group-ID directory' },
  {
    name: 'tmp/',
    mode: 0o1777,
    mtime: 103,
    pax: { 'SCHILY.xattr.user.note': 'x', 'SCHILY.xattr.trusted.t': LATIN1('\0\xff') },
  },
  { name: LATIN1('tmp/caf\xe9/'), mtime: 104 },
  { name: LATIN1('tmp/caf\xe9/\xff\xfe'), data: 'bytes' },
  { name: 'tmp/s', type: 'symlink', link: LATIN1('caf\xe9') },
  { name: `tmp/${'long/'.repeat(60)}`, mtime: 105 },
  { name: `tmp/${'long/'.repeat(60)}${'n'.repeat(255)}`, data: 'long', uid: 2 ** 30 },
  { name: 'tmp/old', data: 'before 1970', pax: { mtime: '-100.5' } },
  { name: 'tmp/big', data: Buffer.alloc(3_000_000, 'content ') },
  { name: 'tmp/through', type: 'symlink', link: '/etc' },
  { name: 'tmp/through/made', data: 'through a symlink' },
  { name: 'implied/by/name', data: 'x' },
];

/** A layer on it that changes, deletes and hides. */
export const UPPER: EntrySpec[] = [
  { name: 'etc/', mode: 0o700, mtime: 200 },
  { name: 'etc/.wh.gone', uid: 5, gid: 6 },
  { name: 'etc/.wh.nothing' },
  { name: 'etc/replaced', type: 'symlink', link: 'kept', mtime: 201 },
  { name: 'etc/emptied/', mtime: 202 },
  { name: 'etc/emptied/new', data: 'new' },
  { name: 'etc/emptied/.wh..wh..opq' },
  { name: 'bin/', mtime: 203 },
  { name: 'bin/su', data: 'no longer suid', mode: 0o755 },
  { name: 'bin/link/', mode: 0o750, mtime: 204 },
  { name: 'bin/link/f', type: 'link', link: 'bin/su', mode: 0o700, mtime: 205 },
  { name: 'dev/', mode: 0o755, mtime: 206 },
  { name: 'dev/pipe', data: 'a file now' },
];
