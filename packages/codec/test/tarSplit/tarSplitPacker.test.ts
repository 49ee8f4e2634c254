import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/bytes.ts';
import { END, entry, GNU, header, pax } from '../support/tarBytes.ts';
import { packLines } from '../support/tarSplit.ts';

const concat = (...parts: Buffer[]) => Buffer.concat(parts);
const records = (tar: Buffer) => packLines(tar).map((line) => JSON.parse(line));
const bytesOf = (payload: string) => Buffer.from(payload, 'base64');

describe('TarSplitPacker', () => {
  it('cuts segments and records as upstream does', () => {
    const headers = [
      header({ name: 'd/', type: '5' }),
      header({ name: 'd/hi', size: 6 }),
      header({ name: 'd/empty' }),
      header({ name: 'd/ln', type: '1', linkname: 'd/hi' }),
    ] as const;
    const padding = Buffer.alloc(506);
    const tar = concat(headers[0], headers[1], Buffer.from('hello\n'), padding, headers[2], headers[3], END);
    const base64 = (bytes: Buffer) => bytes.toString('base64');
    expect(packLines(tar)).toEqual([
      `{"type":2,"payload":"${base64(headers[0])}","position":0}`,
      '{"type":1,"name":"d/","payload":null,"position":1}',
      `{"type":2,"payload":"${base64(headers[1])}","position":2}`,
      '{"type":1,"name":"d/hi","size":6,"payload":"YUw+7uLYEAA=","position":3}',
      `{"type":2,"payload":"${base64(concat(padding, headers[2]))}","position":4}`,
      '{"type":1,"name":"d/empty","payload":null,"position":5}',
      `{"type":2,"payload":"${base64(headers[3])}","position":6}`,
      '{"type":1,"name":"d/ln","payload":null,"position":7}',
      `{"type":2,"payload":"${base64(END)}","position":8}`,
    ]);
  });

  it('writes one empty segment for an empty stream', () => {
    expect(packLines(Buffer.alloc(0))).toEqual(['{"type":2,"payload":"","position":0}']);
  });

  it.each<[string, Buffer, string]>([
    ['UTF-8', Buffer.from('é <&>\u2028"\\'), '"name":"é \\u003c\\u0026\\u003e\\u2028\\"\\\\"'],
    ['other bytes', Buffer.from('caf\xe9', 'latin1'), '"name_raw":"Y2Fm6Q=="'],
    ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80]), '"name_raw":"7aCA"'],
    ['not cleaned', Buffer.from('./a//b/../c/'), '"name":"./a//b/../c/"'],
  ])('writes a name of %s', (_, name, expected) => {
    expect(packLines(header({ name }))[1]).toBe(`{"type":1,${expected},"payload":null,"position":1}`);
  });

  it('leaves out an empty name', () => {
    expect(packLines(header({ name: '' }))[1]).toBe('{"type":1,"payload":null,"position":1}');
  });

  it('records types without content with size 0', () => {
    const tar = concat(
      header({ name: 'd', type: '5', size: 700 }),
      header({ name: 'l', type: '1', size: 9 }),
      END,
    );
    expect(records(tar).filter((r) => r.type === 1)).toEqual([
      { type: 1, name: 'd', payload: null, position: 1 },
      { type: 1, name: 'l', payload: null, position: 3 },
    ]);
  });

  it('keeps extension headers in the segment and global headers as records', () => {
    const [extended, global, file] = [pax([['path', 'long']]), pax([['a', 'b']], 'g'), header()];
    const [first, , second, record] = records(concat(global, extended, file));
    const headers = [first, second].map((r) => bytesOf(r.payload));
    expect(concat(...headers).equals(concat(global, extended, file))).toBe(true);
    expect(headers[0]?.length).toBe(512 + '6 a=b\n'.length); // its padding goes with the next entry
    expect(record.name).toBe('long');
  });

  it('keeps the stored bytes of sparse files in segments', () => {
    const sparse = concat(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '1000'],
      ]),
      entry({ name: 's' }, `${'1\n10\n3\n'.padEnd(512, '\0')}abc`),
    );
    const lines = records(concat(sparse, END));
    expect(lines.filter((r) => r.type === 1)).toEqual([{ type: 1, name: 's', payload: null, position: 1 }]);
    const segments = lines.filter((r) => r.type === 2).map((r) => bytesOf(r.payload));
    expect(concat(...segments).equals(concat(sparse, END))).toBe(true);
  });

  it('splits long trailing bytes into segments of 1 MiB', () => {
    const trailing = Buffer.alloc(2_500_000, 5);
    const sizes = records(concat(END, trailing)).map((r) => bytesOf(r.payload).length);
    expect(sizes).toEqual([1_048_576, 1_048_576, 1024 + 2_500_000 - 2 * 1_048_576]);
  });

  it.each([
    ['the same', 'a', 'a'],
    ['a directory written twice', 'd/', './d'],
    ['a way round', 'x/y', 'x/z/../y'],
    ['bytes that are no UTF-8', Buffer.from([0xff]), Buffer.from([0xff])],
  ])('refuses duplicate paths: %s', async (_, one, two) => {
    const tar = concat(header({ name: one }), header({ name: two }));
    const error = await failureOf(() => packLines(tar));
    expect(error.code).toBe('TAR_DUPLICATE_PATH');
    expect(error.message).toContain('duplicates of file paths not supported');
    expect(error.hint).toBeTruthy();
  });

  it('tells apart names whose bytes are no UTF-8', () => {
    const tar = concat(...[0xfe, 0xff].map((byte) => header({ name: Buffer.from([byte]) })));
    expect(packLines(tar).length).toBe(5);
  });

  it('takes long GNU names and large headers', () => {
    const name = 'n'.repeat(900_000);
    const tar = concat(entry({ type: 'L', magic: GNU }, name), header({ magic: GNU }), END);
    expect(records(tar)[1].name).toBe(name);
  });
});
