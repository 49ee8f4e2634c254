import { describe, expect, it } from 'vitest';
import { failureOf } from '../support/bytes.ts';
import { base256, END, entry, GNU, header, padded, pax, paxRecord } from '../support/tarBytes.ts';
import { readTar } from '../support/tarEvents.ts';

const concat = (...parts: Buffer[]) => Buffer.concat(parts);
const paxRaw = (payload: string | Buffer) => concat(entry({ type: 'x' }, payload), header());
const sparse = (records: [string, string][], content: Buffer | string = '') =>
  concat(pax(records), entry({}, content));
const V01 = (map: string, blocks: string, size: string): [string, string][] => [
  ['GNU.sparse.map', map],
  ['GNU.sparse.numblocks', blocks],
  ['GNU.sparse.size', size],
];
const V10: [string, string][] = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.realsize', '100'],
];

describe('a malformed tar is refused', () => {
  it.each<[string, Buffer, string]>([
    ['checksum', header({ checksum: '000001\0 ' }), 'checksum is 1, the block sums up to'],
    ['checksum field', header({ checksum: 'zzzzzzzz' }), 'checksum "zzzzzzzz" is not octal'],
    ['text', Buffer.from('not a tar at all'.padEnd(512, '!')), 'checksum'],
    ['octal', header({ mode: '0008000\0' }), 'mode "0008000\\u0000" is not a number'],
    ['base-256 beyond 64 bits', header({ size: base256(2n ** 80n, 12) }), 'size'],
    ['size beyond 2^53', header({ size: base256(2n ** 60n, 12) }), 'out of range'],
    ['negative size', header({ size: base256(-1n, 12) }), 'size -1 is negative'],
    ['uid -1', header({ uid: base256(-1n, 8) }), 'uid -1 is out of range'],
    ['uid 2^32-1', header({ uid: base256(2n ** 32n - 1n, 8) }), 'uid 4294967295 is out of range'],
    ['gid far below zero', header({ gid: base256(-(2n ** 32n), 8) }), 'gid -4294967296 is out of range'],
    ['devmajor', header({ type: '3', devmajor: 'xxxxxxx' }), 'devmajor'],
    ['block after a zero block', concat(header(), Buffer.alloc(512), header()), 'zero block'],
    ['PAX without length', paxRaw('path=x\n'), 'wrong length'],
    ['PAX with a short length', paxRaw('4 a=\n'), 'wrong length'],
    ['PAX beyond its payload', paxRaw('99 path=x\n'), 'wrong length'],
    ['PAX without newline', paxRaw('10 path=xy'), 'wrong length'],
    ['PAX with a length before its space', paxRaw('5    a=b\n'), 'wrong length'],
    ['PAX without =', paxRaw('7 path\n '), 'no "="'],
    ['PAX without key', paxRaw(paxRecord('', 'x')), 'no key'],
    ['NUL in a PAX path', paxRaw(paxRecord('path', 'a\0b')), 'NUL'],
    ['NUL in a PAX key', paxRaw(paxRecord('a\0b', 'x')), 'NUL'],
    ['PAX uid', paxRaw(paxRecord('uid', 'root')), 'PAX uid "root" is not a number'],
    ['PAX size', paxRaw(paxRecord('size', '9223372036854775807')), 'out of range'],
    ['PAX size, negative', paxRaw(paxRecord('size', '-5')), 'size -5 is negative'],
    ['PAX mtime', paxRaw(paxRecord('mtime', '1.2.3')), 'PAX mtime "1.2.3" is not a time'],
    ['PAX atime without seconds', paxRaw(paxRecord('atime', '.5')), 'not a time'],
    ['huge PAX header', header({ type: 'x', size: 1024 * 1024 + 1 }), 'too large'],
    ['huge long name', header({ type: 'L', magic: GNU, size: 2 ** 30 }), 'too large'],
    ['extension of negative size', header({ type: 'g', size: base256(-1n, 12) }), 'negative'],
    [
      'sparse 0.0 out of turn',
      paxRaw(paxRecord('GNU.sparse.numbytes', '1')),
      'GNU.sparse.offset was expected',
    ],
    ['sparse 0.0 with a comma', paxRaw(paxRecord('GNU.sparse.offset', '1,2')), 'sparse map'],
    ['sparse count', sparse(V01('0,1', '2', '10'), 'x'), '2 numbers for 2 ranges'],
    ['sparse count missing', sparse([['GNU.sparse.map', '0,1']], 'x'), 'GNU.sparse.numblocks'],
    ['sparse number', sparse(V01('0,x', '1', '10'), 'x'), 'sparse map "x"'],
    ['sparse overlap', sparse(V01('0,2,1,1', '2', '10'), 'xyz'), 'out of order'],
    ['sparse negative', sparse(V01('0,-1', '1', '10'), 'x'), 'out of order'],
    ['sparse beyond the file', sparse(V01('9,2', '1', '10'), 'xy'), 'beyond the size'],
    ['sparse without its data', sparse(V01('0,5', '1', '10'), 'xy'), 'non-existent data'],
    ['sparse with other data', sparse(V01('0,1', '1', '10'), 'xy'), 'unreferenced data'],
    ['sparse directory', concat(pax(V01('0,1', '1', '10')), header({ type: '5' })), 'sparse'],
    ['sparse 1.0 without map', sparse(V10, 'short'), 'longer than the data'],
    ['sparse 1.0 map of text', sparse(V10, padded('hello\n')), 'sparse map "hello"'],
    ['sparse 1.0 map without newlines', sparse(V10, Buffer.alloc(4096, '1')), 'not a list of numbers'],
    ['sparse 1.0 endless map', sparse(V10, Buffer.from(`9999999\n${'0\n'.repeat(600_000)}`)), 'too large'],
    ['old sparse in ustar', header({ type: 'S' }), 'old GNU sparse'],
  ])('%s', async (_, tar, message) => {
    const error = await failureOf(() => readTar(tar, 'layer 3'));
    expect(error.code).toBe('TAR_INVALID');
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^layer 3: invalid tar header at offset \d+: /);
    expect(error.hint).toBeTruthy();
    expect(error.facts.offset).toBeTypeOf('number');
  });

  it('names the offset of the bad header', async () => {
    const error = await failureOf(() => readTar(concat(entry({}, 'x'), header({ checksum: '0' }))));
    expect(error.facts.offset).toBe(1024);
  });
});

describe('a tar that ends too early is refused', () => {
  const extended = header({
    magic: GNU,
    type: 'S',
    size: 5,
    patch: { 386: '00000000000\x0000000000005\0', 482: '\x01' },
  });
  it.each([
    ['in a header', header().subarray(0, 300), 'a block has 300 of 512 bytes'],
    ['in file content', entry({}, 'hello').subarray(0, 514), '3 bytes of content are missing'],
    ['in a PAX payload', pax([['path', 'x']]).subarray(0, 515), 'bytes of content are missing'],
    ['in the second zero block', END.subarray(0, 700), 'a block has 188 of 512 bytes'],
    ['in a sparse map', concat(pax(V10), header({ size: 2048 }), padded('9\n')), 'sparse map'],
    ['in old sparse headers', extended, 'the sparse map is not complete'],
  ])('%s', async (_, tar, message) => {
    const error = await failureOf(() => readTar(tar));
    expect(error.code).toBe('TAR_TRUNCATED');
    expect(error.message).toContain(message);
    expect(error.message).toContain(`at offset ${tar.length}`);
    expect(error.hint).toBe('the archive was cut off; fetch or build it again');
  });
});
