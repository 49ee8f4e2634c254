import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeIdMaps } from '../../src/idmaps/freeIdMaps.ts';
import { namespaceIds } from '../../src/idmaps/namespaceIds.ts';
import { parseIdMapTriples } from '../../src/idmaps/parseIdMapTriples.ts';

const AVAILABLE = [
  { start: 1000, size: 100 },
  { start: 5000, size: 50 },
];

function chosen(size: number, used = '', additional = '') {
  return freeIdMaps({
    size,
    owner: 'somebody',
    available: AVAILABLE,
    used: parseIdMapTriples(used),
    additional: parseIdMapTriples(additional),
  });
}

describe('freeIdMaps', () => {
  it('takes the lowest free ids, of several ranges if need be', () => {
    expect(chosen(10)).toEqual(parseIdMapTriples('0:1000:10'));
    expect(chosen(120)).toEqual(parseIdMapTriples('0:1000:100:100:5000:20'));
    expect(chosen(150)).toHaveLength(2);
  });

  it('spares what other containers have', () => {
    expect(chosen(10, '0:990:15')).toEqual(parseIdMapTriples('0:1005:10'));
    expect(chosen(60, '0:1010:10:10:1050:50')).toEqual(parseIdMapTriples('0:1000:10:10:1020:30:40:5000:20'));
  });

  it('leaves room for ids that are asked for', () => {
    expect(chosen(10, '', '3:0:2')).toEqual(parseIdMapTriples('0:1000:3:5:1003:5:3:0:2'));
    expect(chosen(10, '', '0:1000:1')).toEqual(parseIdMapTriples('1:1001:9:0:1000:1'));
    expect(chosen(1, '', '0:7:1')).toEqual(parseIdMapTriples('0:7:1'));
  });

  it('says when there are too few', () => {
    expect(() => chosen(151)).toThrow(
      expect.objectContaining({
        code: 'NO_AVAILABLE_IDS',
        message: '151 ids are needed and 150 of somebody are free: not enough unused IDs in user namespace',
      }),
    );
    expect(() => chosen(51, '0:1000:100')).toThrow(/not enough unused IDs/);
  });
});

describe('namespaceIds', () => {
  it('are those of the namespace but for root, by their inner names', () => {
    const directory = mkdtempSync(join(tmpdir(), 'uid-map-'));
    try {
      const path = join(directory, 'uid_map');
      writeFileSync(
        path,
        '         0       1000          1\n         1     100000      65536\n     70000 1 5\n',
      );
      expect(namespaceIds(path)).toEqual([
        { start: 1, size: 65536 },
        { start: 70000, size: 5 },
      ]);
      writeFileSync(path, '0 0 4294967295\n');
      expect(namespaceIds(path)).toEqual([{ start: 1, size: 4294967294 }]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
