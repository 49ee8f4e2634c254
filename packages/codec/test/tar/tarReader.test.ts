import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt } from '../support/bytes.ts';
import { base256, END, entry, GNU, header, padded, pax, V7 } from '../support/tarBytes.ts';
import { readOne, readTar } from '../support/tarEvents.ts';

const concat = (...parts: Buffer[]) => Buffer.concat(parts);
const names = (tar: Buffer) => readTar(tar).entries.map((e) => e.header.name.toString('latin1'));

describe('formats', () => {
  it('reads a v7 header and ignores what later formats put behind it', () => {
    const { header: h } = readOne(
      header({ magic: V7, name: 'a', uid: '  1750 \0', mtime: '00000000012 ', uname: 'root', prefix: 'no' }),
    );
    expect(h).toMatchObject({
      format: 'v7',
      typeflag: 0x30,
      uid: 0o1750,
      mtimeNs: 10_000_000_000n,
      mode: 0o644,
    });
    expect([h.name.toString(), h.uname.length]).toEqual(['a', 0]);
  });

  it('turns NUL types into directories by the trailing slash, and only those', () => {
    const tar = concat(
      header({ magic: V7, type: '\0', name: 'd/' }),
      header({ magic: V7, type: '\0', name: 'f' }),
      header({ type: '0', name: 'e/' }),
    );
    expect(readTar(tar).entries.map((e) => e.header.typeflag)).toEqual([0x35, 0x30, 0x30]);
  });

  it('joins the ustar prefix and reads owner names and device numbers', () => {
    const { header: h } = readOne(
      header({
        name: 'c',
        prefix: 'a/b',
        uname: 'u',
        gname: 'g',
        type: '3',
        devmajor: '0000001\0',
        devminor: '0000005\0',
      }),
    );
    expect([h.name, h.uname, h.gname].map(String)).toEqual(['a/b/c', 'u', 'g']);
    expect(h).toMatchObject({ format: 'ustar', devmajor: 1, devminor: 5 });
  });

  it('uses all 100 bytes of a name without NUL', () => {
    expect(names(header({ name: 'n'.repeat(100), mode: '0000644\0' }))).toEqual(['n'.repeat(100)]);
  });

  it('reads star prefix and times', () => {
    const { header: h } = readOne(
      header({
        name: 'c',
        prefix: 'p'.repeat(131),
        patch: { 476: '00000000001\0', 488: '00000000002\0', 508: 'tar\0' },
      }),
    );
    expect(h.name.toString()).toBe(`${'p'.repeat(131)}/c`);
    expect(h).toMatchObject({ format: 'star', atimeNs: 1_000_000_000n, ctimeNs: 2_000_000_000n });
  });

  it('reads GNU times where they are set', () => {
    const set = readOne(header({ magic: GNU, patch: { 345: '00000000003\0' } })).header;
    expect([set.format, set.atimeNs, set.ctimeNs]).toEqual(['gnu', 3_000_000_000n, undefined]);
  });

  it('takes ASCII text in the place of GNU times as the prefix that old Go wrote there', () => {
    expect(names(header({ magic: GNU, name: 'n', prefix: 'some/dir' }))).toEqual(['some/dir/n']);
    expect(names(header({ magic: GNU, name: 'n', prefix: Buffer.from('d\xc3\xa9', 'latin1') }))).toEqual([
      'n',
    ]);
  });

  it.each([
    ['octal with blanks', ' 17 \0', 15],
    ['empty', '\0\0\0\0\0\0\0\0', 0],
    ['base-256', base256(2n ** 30n, 8), 2 ** 30],
    ['base-256, negative', base256(-2n, 8), 4_294_967_294],
  ])('reads a number: %s', (_, uid, expected) => {
    expect(readOne(header({ uid })).header.uid).toBe(expected);
  });

  it('reads times before 1970 and large sizes in base-256', () => {
    const h = readOne(header({ mtime: base256(-5n, 12), type: '5', size: base256(2n ** 40n, 12) })).header;
    expect([h.mtimeNs, h.size]).toEqual([-5_000_000_000n, 0]);
  });

  it('accepts the checksum as a sum of signed bytes', () => {
    expect(
      readOne(header({ name: Buffer.from('caf\xe9', 'latin1'), checksum: 'signed' })).header.name,
    ).toEqual(Buffer.from('caf\xe9', 'latin1'));
  });
});

describe('extensions', () => {
  it('applies PAX records, with binary values', () => {
    const value = Buffer.from([0, 1, 0x0a, 0x3d, 0xff]);
    const tar = concat(
      pax([
        ['path', 'long\u00e9'],
        ['linkpath', 'target'],
        ['uid', '70000'],
        ['gid', '80000'],
        ['uname', 'someone'],
        ['gname', 'group'],
        ['mtime', '123.1234567890'],
        ['atime', '-1.5'],
        ['ctime', '7.'],
        ['SCHILY.xattr.user.a', value],
        ['SCHILY.xattr.security.capability', Buffer.from([1, 0, 0, 2])],
        ['LIBARCHIVE.xattr.user.b', 'x'],
      ]),
      header({ type: '2', name: 'short' }),
    );
    const { header: h } = readOne(tar);
    expect([h.name, h.linkname, h.uname, h.gname].map(String)).toEqual([
      'longé',
      'target',
      'someone',
      'group',
    ]);
    expect(h).toMatchObject({
      format: 'pax',
      uid: 70_000,
      gid: 80_000,
      mtimeNs: 123_123_456_789n,
      atimeNs: -1_500_000_000n,
      ctimeNs: 7_000_000_000n,
    });
    expect(h.xattrs.map((x) => [x.name.toString(), x.value])).toEqual([
      ['user.a', value],
      ['security.capability', Buffer.from([1, 0, 0, 2])],
    ]);
    expect(h.paxRecords?.get('LIBARCHIVE.xattr.user.b')?.toString()).toBe('x');
  });

  it('keeps the field for an empty PAX value, and the last of repeated records', () => {
    const tar = concat(
      pax([
        ['path', ''],
        ['uid', '1'],
        ['uid', '2'],
        ['SCHILY.xattr.user.a', ''],
      ]),
      header({ name: 'kept' }),
    );
    const { header: h } = readOne(tar);
    expect([h.name.toString(), h.uid, h.xattrs]).toEqual(['kept', 2, []]);
  });

  it('lets PAX size redefine the length of the data', () => {
    const tar = concat(pax([['size', '3']]), header({ size: 0 }), padded('abc'), header({ name: 'next' }));
    expect(readTar(tar).entries.map((e) => [e.header.name.toString(), e.content.toString()])).toEqual([
      ['file', 'abc'],
      ['next', ''],
    ]);
  });

  it('applies GNU long names up to their NUL; they win over PAX', () => {
    const tar = concat(
      entry({ name: '././@LongLink', type: 'L', magic: GNU }, `${'x'.repeat(200)}\0junk`),
      entry({ name: '././@LongLink', type: 'K', magic: GNU }, `${'y'.repeat(700)}\0`),
      pax([['path', 'pax']]),
      header({ type: '2', magic: GNU }),
      header({ name: 'next' }),
    );
    const [first, second] = readTar(tar).entries;
    expect(first?.header.name.toString()).toBe('x'.repeat(200));
    expect(first?.header.linkname.toString()).toBe('y'.repeat(700));
    expect(second?.header).toMatchObject({
      name: Buffer.from('next'),
      linkname: Buffer.alloc(0),
      format: 'ustar',
    });
  });

  it('reports global headers as entries and applies them to nothing', () => {
    const tar = concat(
      pax([['path', 'lost']]),
      pax(
        [
          ['uid', '5'],
          ['SCHILY.xattr.user.a', 'b'],
        ],
        'g',
      ),
      header({ name: 'file' }),
    );
    const { entries } = readTar(tar);
    expect(entries.map((e) => [e.header.name.toString(), e.header.typeflag, e.header.size])).toEqual([
      ['PaxHeaders/file', 0x67, 0],
      ['file', 0x30, 0],
    ]);
    expect(entries[0]?.header.paxRecords?.get('uid')?.toString()).toBe('5');
    expect(entries[1]?.header).toMatchObject({ uid: 0, xattrs: [] });
  });

  it('reads no data for types that have none, whatever their size field says', () => {
    for (const type of ['1', '2', '3', '4', '5', '6']) {
      const tar = concat(header({ name: 'a', type, size: 1000 }), header({ name: 'b' }), END);
      expect(readTar(tar).entries.map((e) => [e.header.name.toString(), e.header.size])).toEqual([
        ['a', 0],
        ['b', 0],
      ]);
    }
  });

  it('gives the content of contiguous files and unknown types', () => {
    const tar = concat(entry({ type: '7' }, 'seven'), entry({ type: 'Z', name: 'z' }, 'zed'));
    expect(readTar(tar).entries.map((e) => [e.header.typeflag, e.content.toString()])).toEqual([
      [0x37, 'seven'],
      [0x5a, 'zed'],
    ]);
  });
});

describe('ends', () => {
  const file = entry({ name: 'f' }, 'hello');
  it.each([
    ['nothing at all', Buffer.alloc(0), 0],
    ['no end blocks', file, 1],
    ['content without its padding', file.subarray(0, 517), 1],
    ['one zero block', concat(file, Buffer.alloc(512)), 1],
    ['two zero blocks', concat(file, END), 1],
    ['only zero blocks', END, 0],
    ['garbage after the end', concat(file, END, Buffer.from('garbage'), Buffer.alloc(3000, 7)), 1],
    ['an extension that nothing follows', pax([['path', 'x']]), 0],
  ])('accepts %s', (_, tar, count) => {
    const events = readTar(tar);
    expect(events.entries.length).toBe(count);
    expect(events.entries.every((e) => e.ended)).toBe(true);
    expect(events.stream.equals(tar)).toBe(true);
  });
});

describe('chunks', () => {
  const tar = concat(
    pax([
      ['path', 'p'.repeat(600)],
      ['SCHILY.xattr.user.a', Buffer.alloc(300, 9)],
    ]),
    entry({ name: 'short' }, 'x'.repeat(1500)),
    header({ name: 'd/', type: '5' }),
    entry({ type: 'L', magic: GNU }, 'l'.repeat(513)),
    entry({ magic: GNU }, 'y'),
    pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '2000'],
    ]),
    entry({ name: 'sparse' }, concat(padded('1\n100\n5\n'), Buffer.from('DATA!'))),
    END,
    Buffer.from('trailing'),
  );

  it('gives the same events wherever the chunks are cut', () => {
    const whole = readTar(tar);
    expect(whole.stream.equals(tar)).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.nat(tar.length), { maxLength: 40 }), (places) => {
        expect(readTar(cutAt(tar, places))).toEqual(whole);
      }),
    );
    expect(readTar(cutAt(tar, [...tar.keys()]))).toEqual(whole);
  });
});
