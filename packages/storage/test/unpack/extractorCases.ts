import type { EntrySpec } from './tarBuilder.ts';

/** A tree as `sketchTree` shows it, or the code and a part of the message of the error. */
export type Expected = Record<string, string> | { code: string; message?: string };

export interface ExtractorCase {
  title: string;
  /** The layer below, unpacked before with the vfs policy; overlay trees start empty. */
  below?: EntrySpec[];
  entries: EntrySpec[];
  overlay: Expected;
  vfs: Expected;
}

const long = 'n'.repeat(255);

/** Odd and hostile layers, and what each engine makes of them. */
export const EXTRACTOR_CASES: ExtractorCase[] = [
  same(
    'plain entries',
    [{ name: 'd/' }, { name: 'd/f', data: 'x' }, { name: 's', type: 'symlink', link: 'd' }],
    {
      d: 'dir',
      'd/f': 'file x',
      s: '-> d',
    },
  ),
  same(
    'names that are not clean',
    [
      { name: './a//b/./c', data: 'x' },
      { name: 'x/../y', data: 'y' },
    ],
    {
      a: 'dir',
      'a/b': 'dir',
      'a/b/c': 'file x',
      y: 'file y',
    },
  ),
  same(
    'names above the root',
    [
      { name: '../../evil', data: 'x' },
      { name: '/abs', data: 'y' },
      { name: '/../up', data: 'z' },
    ],
    {
      evil: 'file x',
      abs: 'file y',
      up: 'file z',
    },
  ),
  same(
    'names that begin with dots',
    [
      { name: '..a', data: 'x' },
      { name: '...', data: 'y' },
      { name: '..b/c', data: 'z' },
    ],
    {
      '..a': 'file x',
      '...': 'file y',
      '..b': 'dir',
      '..b/c': 'file z',
    },
  ),
  same(
    'a file through a symlink to the root',
    [
      { name: 's', type: 'symlink', link: '/' },
      { name: 's/evil', data: 'x' },
    ],
    {
      s: '-> /',
      evil: 'file x',
    },
  ),
  same(
    'a file through a symlink above the root',
    [
      { name: 's', type: 'symlink', link: '../../../..' },
      { name: 's/tmp/evil', data: 'x' },
    ],
    { s: '-> ../../../..', tmp: 'dir', 'tmp/evil': 'file x' },
  ),
  same(
    'absolute symlinks inside the root, nested',
    [
      { name: 'real/' },
      { name: 'a', type: 'symlink', link: '/b' },
      { name: 'b', type: 'symlink', link: '/real' },
      { name: 'a/f', data: 'x' },
      { name: 'real/up', type: 'symlink', link: '../real/./' },
      { name: 'b/up/g', data: 'y' },
    ],
    {
      real: 'dir',
      'real/f': 'file x',
      'real/up': '-> ../real/./',
      'real/g': 'file y',
      a: '-> /b',
      b: '-> /real',
    },
  ),
  same(
    'a symlink that leads nowhere as parent',
    [{ name: 's', type: 'symlink', link: 'none' }, { name: 's/f' }],
    {
      code: 'UNPACK_FAILED',
    },
  ),
  same(
    'a symlink that leads to itself as parent',
    [{ name: 's', type: 'symlink', link: 's' }, { name: 's/f' }],
    {
      code: 'UNPACK_FAILED',
      message: 'ELOOP',
    },
  ),
  same(
    'a symlink whose target exists outside only',
    [{ name: 'etc', type: 'symlink', link: '/proc/self' }, { name: 'etc/f' }],
    {
      code: 'UNPACK_FAILED',
    },
  ),
  same('a file as parent', [{ name: 'a' }, { name: 'a/b' }], { code: 'UNPACK_FAILED', message: 'ENOTDIR' }),
  same('a name of 255 bytes', [{ name: `${long}/${long}`, data: 'x' }], {
    [long]: 'dir',
    [`${long}/${long}`]: 'file x',
  }),
  same('a name of 256 bytes', [{ name: `${long}n` }], { code: 'UNPACK_FAILED', message: 'ENAMETOOLONG' }),
  same('a path of more than 4096 bytes', [{ name: 'd/'.repeat(2100).concat('f') }], {
    code: 'UNPACK_FAILED',
    message: 'ENAMETOOLONG',
  }),
  same('names that are not UTF-8', [{ name: Buffer.from('caf\xe9/\xff', 'latin1'), data: 'x' }], {
    'caf\xe9': 'dir',
    'caf\xe9/\xff': 'file x',
  }),
  same(
    'a symlink target that is not UTF-8',
    [{ name: 's', type: 'symlink', link: Buffer.from('\xe9', 'latin1') }],
    {
      s: '-> \xe9',
    },
  ),
  same('an empty name', [{ name: '' }], { code: 'UNPACK_UNSAFE', message: 'empty entry name' }),
  same('an empty symlink target', [{ name: 's', type: 'symlink', link: '' }], { code: 'UNPACK_FAILED' }),
  same(
    'a v7 directory',
    [
      { name: 'd/', flag: '\0' },
      { name: 'f', flag: '\0', data: 'x' },
    ],
    { d: 'dir', f: 'file x' },
  ),
  same(
    'a hard link',
    [
      { name: 'f', data: 'x' },
      { name: 'l', type: 'link', link: './f' },
    ],
    { f: 'file x', l: 'file x' },
  ),
  same(
    'a hard link to a symlink',
    [
      { name: 's', type: 'symlink', link: 'none' },
      { name: 'l', type: 'link', link: 's' },
    ],
    { s: '-> none', l: '-> none' },
  ),
  same(
    'a hard link through a symlink',
    [
      { name: 'd/f', data: 'x' },
      { name: 's', type: 'symlink', link: '/d' },
      { name: 'l', type: 'link', link: '/s/f' },
    ],
    { d: 'dir', 'd/f': 'file x', s: '-> /d', l: 'file x' },
  ),
  same('a hard link without target', [{ name: 'l', type: 'link', link: 'none' }], {
    code: 'UNPACK_FAILED',
    message: 'ENOENT',
  }),
  same('a hard link to a path of the host', [{ name: 'l', type: 'link', link: '../../../../etc/passwd' }], {
    code: 'UNPACK_FAILED',
    message: 'ENOENT',
  }),
  same(
    'a hard link to itself',
    [{ name: 'f' }, { name: 's', type: 'symlink', link: '.' }, { name: 's/f', type: 'link', link: 'f' }],
    {
      code: 'UNPACK_FAILED',
      message: 'ENOENT',
    },
  ),
  same('a hard link to the root', [{ name: 'l', type: 'link', link: '.' }], {
    code: 'UNPACK_FAILED',
    message: 'EPERM',
  }),
  same(
    'a fifo and device nodes',
    [
      { name: 'p', type: 'fifo' },
      { name: 'c', type: 'char', major: 1, minor: 3 },
      { name: 'b', type: 'block', major: 259, minor: 70000 },
    ],
    { p: 'fifo', c: 'char 1:3', b: 'block 259:70000' },
  ),
  same('a device that Linux does not have', [{ name: 'c', type: 'char', major: 4096 }], {
    code: 'UNPACK_FAILED',
    message: 'no device 4096:0',
  }),
  same(
    'a global header',
    [
      { name: 'pax_global_header', type: 'global', pax: { comment: 'x' } },
      { name: 'f', data: 'x' },
    ],
    {
      f: 'file x',
    },
  ),
  same('a contiguous file', [{ name: 'f', flag: '7' }], {
    code: 'TAR_ENTRY_UNSUPPORTED',
    message: 'unhandled tar header type 55',
  }),
  same('an unknown type', [{ name: 'f', flag: 'Z' }], {
    code: 'TAR_ENTRY_UNSUPPORTED',
    message: 'unhandled tar header type 90',
  }),
  same(
    'one file by two paths',
    [
      { name: 'd/f', data: 'old' },
      { name: 's', type: 'symlink', link: 'd' },
      { name: 's/f', data: 'new' },
    ],
    { d: 'dir', 'd/f': 'file new', s: '-> d' },
  ),
  same(
    'a directory replaced on the way to it',
    [
      { name: 'd/f', data: 'x' },
      { name: 's', type: 'symlink', link: '.' },
      { name: 'e/' },
      { name: 's/d', type: 'symlink', link: 'e' },
      { name: 'd/g', data: 'y' },
    ],
    { d: '-> e', s: '-> .', e: 'dir', 'e/g': 'file y' },
  ),
  same(
    'content of entries that have none on disk',
    [
      { name: '.wh.x', data: 'content' },
      { name: 'f', data: 'x' },
    ],
    {
      overlay: { x: 'whiteout', f: 'file x' },
      vfs: { f: 'file x' },
    },
  ),

  // existing paths of the layer below
  {
    title: 'entries of other types in place of old ones',
    below: [
      { name: 'file' },
      { name: 'dir/sub/f' },
      { name: 'link', type: 'symlink', link: 'target' },
      { name: 'target', data: 'kept' },
      { name: 'dangling', type: 'symlink', link: 'none' },
      { name: 'merged/old', data: 'old' },
    ],
    entries: [
      { name: 'file/' },
      { name: 'file/f', data: 'x' },
      { name: 'dir', data: 'now a file' },
      { name: 'link', data: 'now a file' },
      { name: 'dangling', type: 'fifo' },
      { name: 'merged/' },
      { name: 'merged/new', data: 'new' },
    ],
    overlay: {
      file: 'dir',
      'file/f': 'file x',
      dir: 'file now a file',
      link: 'file now a file',
      dangling: 'fifo',
      merged: 'dir',
      'merged/new': 'file new',
    },
    vfs: {
      file: 'dir',
      'file/f': 'file x',
      dir: 'file now a file',
      link: 'file now a file',
      target: 'file kept',
      dangling: 'fifo',
      merged: 'dir',
      'merged/new': 'file new',
      'merged/old': 'file old',
    },
  },
  {
    title: 'a hard link in place of a directory',
    below: [{ name: 'd/f' }, { name: 'x', data: 'x' }],
    entries: [
      { name: 'y', data: 'y' },
      { name: 'd', type: 'link', link: 'y' },
    ],
    overlay: { y: 'file y', d: 'file y' },
    vfs: { y: 'file y', d: 'file y', x: 'file x' },
  },

  // whiteouts
  {
    title: 'whiteouts',
    below: [{ name: 'f' }, { name: 'd/a/b' }, { name: 'd/k', data: 'kept' }],
    entries: [{ name: '.wh.f' }, { name: 'd/' }, { name: 'd/.wh.a' }, { name: 'd/.wh.nothing' }],
    overlay: { f: 'whiteout', d: 'dir', 'd/a': 'whiteout', 'd/nothing': 'whiteout' },
    vfs: { d: 'dir', 'd/k': 'file kept' },
  },
  {
    title: 'a whiteout in a directory without entry',
    below: [{ name: 'a/b/c' }],
    entries: [{ name: 'a/b/.wh.c' }],
    overlay: { a: 'dir', 'a/b': 'dir', 'a/b/c': 'whiteout' },
    vfs: { a: 'dir', 'a/b': 'dir' },
  },
  {
    title: 'a whiteout of a symlink, whose target stays',
    below: [
      { name: 't/f', data: 'x' },
      { name: 's', type: 'symlink', link: 't' },
    ],
    entries: [{ name: '.wh.s' }],
    overlay: { s: 'whiteout' },
    vfs: { t: 'dir', 't/f': 'file x' },
  },
  {
    title: 'a whiteout through a symlink above the root',
    below: [{ name: 's', type: 'symlink', link: '../../..' }, { name: 'f' }],
    entries: [{ name: 's/.wh.f' }],
    overlay: { s: 'dir', 's/f': 'whiteout' },
    vfs: { s: '-> ../../..' },
  },
  same('an entry, then its whiteout', [{ name: 'x' }, { name: '.wh.x' }], {
    overlay: { code: 'UNPACK_FAILED', message: 'EEXIST' },
    vfs: {},
  }),
  same('a whiteout, then a file', [{ name: '.wh.x' }, { name: 'x', data: 'new' }], { x: 'file new' }),
  same('a directory, then its whiteout', [{ name: 'd/' }, { name: 'd/n' }, { name: '.wh.d' }], {
    overlay: { code: 'UNPACK_FAILED', message: 'EEXIST' },
    vfs: { code: 'UNPACK_FAILED', message: 'ENOENT' },
  }),
  {
    title: 'a whiteout, then a directory, which must hide what was below',
    below: [{ name: 'd/old' }],
    entries: [{ name: '.wh.d' }, { name: 'd/' }, { name: 'd/n', data: 'x' }],
    overlay: { d: 'dir opaque', 'd/n': 'file x' },
    vfs: { d: 'dir', 'd/n': 'file x' },
  },
  {
    title: 'an opaque marker after its entries',
    below: [{ name: 'd/old/x' }, { name: 'd/n', data: 'old' }, { name: 'k', data: 'kept' }],
    entries: [{ name: 'd/' }, { name: 'd/n', data: 'new' }, { name: 'd/.wh..wh..opq' }],
    overlay: { d: 'dir opaque', 'd/n': 'file new' },
    vfs: { d: 'dir', 'd/n': 'file new', k: 'file kept' },
  },
  {
    title: 'an opaque marker before its entries',
    below: [{ name: 'd/old/x' }],
    entries: [{ name: 'd/' }, { name: 'd/.wh..wh..opq' }, { name: 'd/n', data: 'new' }],
    overlay: { d: 'dir opaque', 'd/n': 'file new' },
    vfs: { d: 'dir', 'd/n': 'file new' },
  },
  {
    title: 'an opaque marker without entry for the directory',
    below: [{ name: 'd/e/old' }],
    entries: [{ name: 'd/e/.wh..wh..opq' }],
    overlay: { d: 'dir', 'd/e': 'dir opaque' },
    vfs: { d: 'dir', 'd/e': 'dir' },
  },
  {
    title: 'an opaque marker in the root',
    below: [{ name: 'd/old' }, { name: 'f' }],
    entries: [{ name: 'g', data: 'new' }, { name: '.wh..wh..opq' }],
    overlay: { g: 'file new' },
    vfs: { g: 'file new' },
  },
  {
    title: 'an opaque marker above directories that only the names of files imply',
    below: [{ name: 'd/e/old' }],
    entries: [{ name: 'd/e/f/new', data: 'new' }, { name: 'd/.wh..wh..opq' }],
    overlay: { d: 'dir opaque', 'd/e': 'dir', 'd/e/f': 'dir', 'd/e/f/new': 'file new' },
    vfs: { d: 'dir', 'd/e': 'dir', 'd/e/f': 'dir', 'd/e/f/new': 'file new' },
  },
  {
    title: 'an opaque marker through a symlink, after entries through it',
    below: [{ name: 'd/old' }, { name: 's', type: 'symlink', link: 'd' }],
    entries: [
      { name: 'd/' },
      { name: 's', type: 'symlink', link: 'd' },
      { name: 's/n', data: 'new' },
      { name: 'd/.wh..wh..opq' },
    ],
    overlay: { d: 'dir opaque', 'd/n': 'file new', s: '-> d' },
    vfs: { d: 'dir', 'd/n': 'file new', s: '-> d' },
  },
  {
    title: 'whiteouts below a whiteout',
    below: [{ name: 'foo/bar' }],
    entries: [{ name: '.wh.foo' }, { name: 'foo/.wh.bar' }],
    overlay: { foo: 'whiteout' },
    vfs: { foo: 'dir' },
  },
  same('a whiteout without a name', [{ name: 'd/.wh.' }], { code: 'UNPACK_UNSAFE' }),
  same('a whiteout of "."', [{ name: 'd/.wh..' }], { code: 'UNPACK_UNSAFE' }),
  same('a whiteout of ".."', [{ name: 'd/.wh...' }], { code: 'UNPACK_UNSAFE' }),
  same('a whiteout that is a directory', [{ name: '.wh.d/' }], { overlay: { d: 'whiteout' }, vfs: {} }),
  same(
    'what AUFS left in the root',
    [
      { name: '.wh..wh.aufs' },
      { name: '.wh..wh.plnk/' },
      { name: '.wh..wh.plnk/1.2', data: 'shared' },
      { name: 'l', type: 'link', link: './.wh..wh.plnk/1.2' },
    ],
    {
      overlay: {
        '.wh.aufs': 'whiteout',
        '.wh.plnk': 'whiteout',
        '.wh..wh.plnk': 'dir',
        '.wh..wh.plnk/1.2': 'file shared',
        l: 'file shared',
      },
      vfs: { '.wh..wh.plnk': 'dir', l: 'file shared' },
    },
  ),
  same('a link to an AUFS file that is missing', [{ name: 'l', type: 'link', link: '.wh..wh.plnk/1.2' }], {
    overlay: { code: 'UNPACK_FAILED', message: 'ENOENT' },
    vfs: { code: 'UNPACK_FAILED', message: 'invalid aufs hardlink' },
  }),
  same(
    'an opaque root with AUFS files in use',
    [
      { name: '.wh..wh.plnk/1.2', data: 'shared' },
      { name: '.wh..wh..opq' },
      { name: 'l', type: 'link', link: '.wh..wh.plnk/1.2' },
    ],
    {
      overlay: { '.wh..wh.plnk': 'dir', '.wh..wh.plnk/1.2': 'file shared', l: 'file shared' },
      vfs: { l: 'file shared' },
    },
  ),
  same('AUFS names below the root', [{ name: 'd/.wh..wh.plnk/x', data: 'x' }, { name: 'd/.wh..wh.foo' }], {
    overlay: { d: 'dir', 'd/.wh..wh.plnk': 'dir', 'd/.wh..wh.plnk/x': 'file x', 'd/.wh.foo': 'whiteout' },
    vfs: { d: 'dir', 'd/.wh..wh.plnk': 'dir', 'd/.wh..wh.plnk/x': 'file x' },
  }),

  // the root
  same('a root entry that is a file', [{ name: '.' }, { name: 'f', data: 'x' }], {
    overlay: { f: 'file x' },
    vfs: { code: 'UNPACK_UNSAFE' },
  }),
  same('a root entry by another name that is a symlink', [{ name: '/..', type: 'symlink', link: '/etc' }], {
    code: 'UNPACK_UNSAFE',
  }),
];

function same(
  title: string,
  entries: EntrySpec[],
  expected: Expected | { overlay: Expected; vfs: Expected },
): ExtractorCase {
  const both = expected as { overlay?: Expected; vfs?: Expected };
  if (both.overlay !== undefined && both.vfs !== undefined) {
    return { title, entries, overlay: both.overlay, vfs: both.vfs };
  }
  return { title, entries, overlay: expected as Expected, vfs: expected as Expected };
}
