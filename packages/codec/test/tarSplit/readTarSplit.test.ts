import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTarSplit } from '../../src/tarSplit/readTarSplit.ts';
import type { TarSplitEntry } from '../../src/tarSplit/tarSplitEntry.ts';
import { chunked, failureOf } from '../support/bytes.ts';

const TEXT = Buffer.from(
  [
    '{"type":2,"payload":"aGVhZGVy","position":0}',
    '{"type":1,"name":"d\\u003c/","payload":null,"position":1}',
    '{"type":2,"payload":"","position":2}',
    '{"type":1,"name_raw":"Y2Fm6Q==","size":6,"payload":"YUw+7uLYEAA=","position":3}',
    '{"type":1,"payload":null,"position":4}',
    '',
  ].join('\n'),
);

const ENTRIES: TarSplitEntry[] = [
  { type: 'segment', payload: Buffer.from('header'), position: 0 },
  { type: 'file', name: Buffer.from('d</'), size: 0, position: 1 },
  { type: 'segment', payload: Buffer.alloc(0), position: 2 },
  {
    type: 'file',
    name: Buffer.from('caf\xe9', 'latin1'),
    size: 6,
    crc: Buffer.from('614c3eeee2d81000', 'hex'),
    position: 3,
  },
  { type: 'file', name: Buffer.alloc(0), size: 0, position: 4 },
];

async function read(bytes: Uint8Array, size = 1000): Promise<TarSplitEntry[]> {
  const entries: TarSplitEntry[] = [];
  for await (const batch of readTarSplit(chunked(bytes, size), 'tar-split of layer x'))
    entries.push(...batch);
  return entries;
}

describe('readTarSplit', () => {
  it.each([
    ['plain text', TEXT],
    ['gzip', gzipSync(TEXT)],
    ['two gzip members', Buffer.concat([gzipSync(TEXT.subarray(0, 60)), gzipSync(TEXT.subarray(60))])],
    ['text without a last newline', TEXT.subarray(0, -1)],
  ])('reads %s in chunks of any size', async (_, bytes) => {
    for (const size of [1, 7, 1000]) expect(await read(bytes, size)).toEqual(ENTRIES);
  });

  it('reads nothing from nothing', async () => {
    expect(await read(Buffer.alloc(0))).toEqual([]);
  });

  it.each([
    ['no JSON', '{"type":2', 'it is not JSON'],
    ['a quote that is missing', '{"type":2,"payload":","position":0}', 'it is not JSON'],
    ['another value', '[]', 'no JSON object'],
    ['an unknown type', '{"type":3,"position":0}', 'its type is 3, not 1 or 2'],
    ['a wrong position', '{"type":2,"payload":"","position":7}', 'its position is 7'],
    ['no position', '{"type":2,"payload":""}', 'its position is undefined'],
    ['a payload that is no base64', '{"type":2,"payload":"*","position":0}', 'its payload is not base64'],
    ['base64 of the other alphabet', '{"type":2,"payload":"ab-_","position":0}', 'its payload is not base64'],
    [
      'letters whose low bytes are base64',
      '{"type":2,"payload":"\u0141/zA","position":0}',
      'its payload is not base64',
    ],
    ['base64 without its padding', '{"type":2,"payload":"YQ","position":0}', 'its payload is not base64'],
    ['padding within base64', '{"type":2,"payload":"YQ==YQ==","position":0}', 'its payload is not base64'],
    ['too much padding', '{"type":2,"payload":"A===","position":0}', 'its payload is not base64'],
    ['spaces in base64', '{"type":2,"payload":"aGVh ZGVy","position":0}', 'its payload is not base64'],
    ['a name that is no text', '{"type":1,"name":1,"position":0}', 'its name is no text'],
    ['a raw name that is no base64', '{"type":1,"name_raw":"x","position":0}', 'its name_raw is not base64'],
    ['a negative size', '{"type":1,"name":"a","size":-1,"position":0}', 'its size is -1'],
    ['a huge size', '{"type":1,"name":"a","size":1e300,"position":0}', 'its size is 1e+300'],
    [
      'no checksum',
      '{"type":1,"name":"a","size":1,"payload":null,"position":0}',
      'its payload is not base64',
    ],
    [
      'a short checksum',
      '{"type":1,"name":"a","size":1,"payload":"AAAA","position":0}',
      '3 bytes instead of 8',
    ],
  ])('refuses %s', async (_, line, message) => {
    const error = await failureOf(() => read(Buffer.from(`${line}\n`)));
    expect(error.code).toBe('TAR_SPLIT_INVALID');
    expect(error.message).toMatch(/^tar-split of layer x: line 1 is malformed: /);
    expect(error.message).toContain(message);
    expect(error.hint).toContain('import its image anew');
  });

  it.each([
    '{"type":2,"payload":"aGVhZGVyIQ==","position":0}',
    '{"position":0,"payload":"aGVhZGVyIQ==","type":2}',
    ' { "type" : 2, "payload" : "aGVhZGVyIQ==", "position" : 0 }',
    '{"type":2,"payload":"aGVhZGVyIQ\\u003d\\u003d","position":0}',
    '{"type":2,"payload":"aGVhZGVyIQ==","position":0,"name":"","position":0}',
    '{"type":2,"payload":"eA==","payload":"aGVhZGVyIQ==","position":0}',
  ])('reads a segment however it is written: %s', async (line) => {
    const segment = { type: 'segment', payload: Buffer.from('header!'), position: 0 };
    expect(await read(Buffer.from(`${line}\n`))).toEqual([segment]);
  });

  it('refuses duplicate paths', async () => {
    const lines = ['a/b', './a//b'].map(
      (name, position) => `{"type":1,"name":"${name}","payload":null,"position":${position}}\n`,
    );
    const error = await failureOf(() => read(Buffer.from(lines.join(''))));
    expect(error).toMatchObject({ code: 'TAR_DUPLICATE_PATH', facts: { path: './a//b' } });
  });

  it('refuses a truncated gzip file, by its name', async () => {
    const error = await failureOf(() => read(gzipSync(TEXT).subarray(0, -3)));
    expect(error.code).toBe('COMPRESSION_INVALID');
    expect(error.message).toMatch(/^tar-split of layer x: /);
  });
});
