import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  encodeTarHeader,
  type NewTarEntry,
  TAR_TYPE,
  type TarHeader,
  TarReader,
  tarEnd,
  tarPadding,
} from '../../src/index.ts';

const PLAIN: NewTarEntry = {
  name: Buffer.from('dir/file'),
  typeflag: TAR_TYPE.regular,
  mode: 0o4755,
  uid: 1000,
  gid: 1001,
  size: 3,
  mtime: 1_700_000_000,
};

function headersOf(tar: Buffer): TarHeader[] {
  const headers: TarHeader[] = [];
  const nothing = () => undefined;
  const handler = {
    raw: nothing,
    data: nothing,
    entryEnd: nothing,
    entry: (header: TarHeader) => headers.push(header),
  };
  const reader = new TarReader(handler, { what: 'test' });
  reader.write(tar);
  reader.end();
  return headers;
}

function readBack(entry: NewTarEntry): TarHeader {
  const content = Buffer.alloc(entry.size ?? 0, 'c');
  const tar = Buffer.concat([encodeTarHeader(entry), content, tarPadding(content.length), tarEnd()]);
  const [header] = headersOf(tar);
  return header as TarHeader;
}

describe('encodeTarHeader', () => {
  it('writes one ustar block where that can say all', () => {
    const block = encodeTarHeader(PLAIN);
    expect(block).toHaveLength(512);
    expect(block.toString('latin1', 0, 8)).toBe('dir/file');
    const fields = block.toString('latin1', 100, 156).split('\0');
    expect(fields).toEqual([
      ...['0004755', '0001750', '0001751', '00000000003', '14524770400'],
      expect.stringMatching(/^\d{6}$/),
      ' ',
    ]);
    expect(block.toString('latin1', 257, 265)).toBe(`ustar${'\0'}00`);
    expect(block.subarray(265, 329).every((byte) => byte === 0)).toBe(true);
    expect(block.toString('latin1', 329, 345)).toBe(['0000000', '0000000', ''].join('\0'));
  });

  it.each([
    ['a long name that can be split', { name: Buffer.from(`${'d/'.repeat(60)}file`) }, 512],
    ['a long name that cannot', { name: Buffer.from('x'.repeat(101)) }, 1536],
    [
      'a long name of a directory',
      { name: Buffer.from(`${'d'.repeat(120)}/`), typeflag: TAR_TYPE.directory, size: 0 },
      1536,
    ],
    ['a name that is not ASCII', { name: Buffer.from('Ü') }, 1536],
    ['a name that is not UTF-8', { name: Buffer.from([0x61, 0xff]) }, 1536],
    ['a long link', { linkname: Buffer.from('l'.repeat(200)), typeflag: TAR_TYPE.symlink, size: 0 }, 1536],
    ['large owners', { uid: 3_000_000, gid: 4_294_967_294 }, 1536],
    ['a time before 1970', { mtime: -5 }, 1536],
    ['a device', { typeflag: TAR_TYPE.blockDevice, devmajor: 4095, devminor: 1_048_575, size: 0 }, 512],
  ] as const)('writes %s', (_, fields, length) => {
    const entry: NewTarEntry = { ...PLAIN, ...fields };
    expect(encodeTarHeader(entry)).toHaveLength(length);
    const { size = 0, linkname = Buffer.alloc(0), mtime, devmajor = 0, devminor = 0, ...same } = entry;
    expect(readBack(entry)).toMatchObject({
      ...same,
      linkname,
      size,
      devmajor,
      devminor,
      mtimeNs: BigInt(mtime) * 1_000_000_000n,
    });
  });

  it('writes attributes in the order of their names', () => {
    const xattrs = [
      { name: Buffer.from('user.b'), value: Buffer.from([0, 1, 0xff]) },
      { name: Buffer.from('user.a'), value: Buffer.from('x'.repeat(97)) },
    ];
    const tar = encodeTarHeader({ ...PLAIN, xattrs });
    expect(readBack({ ...PLAIN, xattrs }).xattrs).toEqual([xattrs[1], xattrs[0]]);
    expect(tar.toString('latin1', 0, 25)).toBe('dir/PaxHeaders.0/file\0\0\0\0');
    expect(tar.toString('latin1', 512, 535)).toBe('122 SCHILY.xattr.user.a');
  });

  it('refuses what no header can hold', () => {
    for (const xattr of [
      { name: Buffer.from('user.a=b'), value: Buffer.alloc(0) },
      { name: Buffer.from('user.a'), value: Buffer.alloc(1024 * 1024) },
    ]) {
      expect(() => encodeTarHeader({ ...PLAIN, xattrs: [xattr] })).toThrow(
        expect.objectContaining({ code: 'TAR_ENTRY_UNSUPPORTED' }),
      );
    }
  });

  it('writes what GNU tar and Python read', () => {
    const names = ['plain', `${'long/'.repeat(40)}name`, 'x'.repeat(150), 'Ünï'];
    const tar = Buffer.concat([
      ...names.flatMap((name) => [
        encodeTarHeader({ ...PLAIN, name: Buffer.from(name) }),
        Buffer.from('abc'),
        tarPadding(3),
      ]),
      tarEnd(),
    ]);
    const list = execFileSync('tar', ['--quoting-style=literal', '-tf', '-'], {
      input: tar,
      encoding: 'utf8',
    });
    expect(list.trim().split('\n')).toEqual(names);
    const script =
      'import sys,tarfile,io; t=tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())); print([m.name for m in t] == eval(sys.argv[1]))';
    const python = execFileSync('python3', ['-c', script, JSON.stringify(names)], {
      input: tar,
      encoding: 'utf8',
    });
    expect(python.trim()).toBe('True');
  });
});
