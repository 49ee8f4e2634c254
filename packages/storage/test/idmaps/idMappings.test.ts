import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdMappings } from '../../src/idmaps/idMappings.ts';
import { parseIdMapTriples } from '../../src/idmaps/parseIdMapTriples.ts';
import { readIdMapRequest, refuseOverlaps, resolveIdMaps } from '../../src/idmaps/resolveIdMaps.ts';
import { subordinateIds, subordinateMaps } from '../../src/idmaps/subordinateIds.ts';

const MAPS = parseIdMapTriples('0:1000:10:10:5000:3');

describe('parseIdMapTriples', () => {
  it('reads one long colon list', () => {
    expect(MAPS).toEqual([
      { containerId: 0, hostId: 1000, size: 10 },
      { containerId: 10, hostId: 5000, size: 3 },
    ]);
    expect(parseIdMapTriples('')).toEqual([]);
  });

  // What containers-storage 1.43 refuses, with its words.
  it.each(['0:1000', 'a:b', '0:1000:x', '99999999999:1:1', '-1:0:10', ':::', '0:1:2:'])(
    'refuses %s',
    (text) => {
      expect(() => parseIdMapTriples(text, 'gid')).toThrow(
        `initializing ID mappings: gid setting is malformed expected ["uint32:uint32:uint32"]: ["${text}"]`,
      );
    },
  );
});

describe('IdMappings', () => {
  const mappings = new IdMappings(MAPS, []);

  it('translates both ways, and leaves ids without a map alone', () => {
    expect(mappings.toHost({ uid: 11, gid: 7 })).toEqual({ uid: 5001, gid: 7 });
    expect(mappings.toContainer({ uid: 1009, gid: 7 })).toEqual({ uid: 9, gid: 7 });
    expect(mappings.rootPair()).toEqual({ uid: 1000, gid: 0 });
  });

  it('knows what it does not have', () => {
    expect(() => mappings.toHost({ uid: 13, gid: 0 })).toThrow(
      'container ID 13 cannot be mapped to a host ID',
    );
    expect(() => mappings.toContainer({ uid: 0, gid: 0 })).toThrow(
      'host ID 0 cannot be mapped to a container ID',
    );
    expect(mappings.findContainer({ uid: 0, gid: 0 })).toBeUndefined();
    expect(mappings.toHostOrNobody({ uid: 13, gid: 0 })).toEqual({ uid: 65534, gid: 0 });
  });

  it('takes the only id of a map for root', () => {
    const single = parseIdMapTriples('1000:1000:1');
    expect(new IdMappings(single, single).rootPair()).toEqual({ uid: 1000, gid: 1000 });
    const none = parseIdMapTriples('5:100000:10');
    expect(() => new IdMappings(none, none).rootPair()).toThrow(
      expect.objectContaining({ code: 'ID_UNMAPPED' }),
    );
  });

  it('compares', () => {
    expect(mappings.equals({ uidMap: [...MAPS], gidMap: [] })).toBe(true);
    expect(mappings.equals({ uidMap: MAPS.slice(1), gidMap: [] })).toBe(false);
  });
});

describe('resolveIdMaps', () => {
  const inherited = { uidMap: MAPS, gidMap: MAPS };

  it('inherits what is not asked for', () => {
    const wanted = parseIdMapTriples('0:7:1');
    expect(resolveIdMaps({ uidMap: wanted }, inherited)).toMatchObject({ uidMap: wanted, gidMap: MAPS });
    expect(resolveIdMaps({ hostUidMap: true }, inherited)).toMatchObject({ uidMap: [], gidMap: MAPS });
  });

  it('refuses both', () => {
    expect(() => resolveIdMaps({ hostUidMap: true, uidMap: MAPS }, inherited)).toThrow(
      'host uid map specified along with UID mapping',
    );
    expect(() => readIdMapRequest({ hostGidMap: true, gidMap: '0:1:1' })).toThrow(
      'host gid map specified along with GID mapping',
    );
  });
});

describe('refuseOverlaps', () => {
  const check =
    (uid: string, gid = '') =>
    () =>
      refuseOverlaps({ uidMap: parseIdMapTriples(uid), gidMap: parseIdMapTriples(gid) });

  it('finds ranges with a common id, in the words of containers-storage', () => {
    expect(check('0:0:10:5:100:10')).toThrow(
      'the specified UID and/or GID mapping 5:100:10 conflicts with other mappings: invalid mappings specified',
    );
    expect(check('0:5:10:20:8:10', '0:0:5:4:10:1')).toThrow(
      'the specified UID and/or GID mappings 20:8:10, 4:10:1 conflict with other mappings: invalid mappings specified',
    );
  });

  it('lets neighbours and different kinds be', () => {
    expect(check('0:1000:10:10:1010:10', '0:1000:10')).not.toThrow();
  });
});

describe('subordinate ids', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'subids-'));
    writeFileSync(
      join(directory, 'subuid'),
      '# ranges\nann:100000:65536\nbob:200000:1000\nann:300000:10\n1001:7:7\nann:bad:1\n',
    );
    writeFileSync(join(directory, 'subgid'), 'users:500000:5\n');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('reads the ranges of a user by name or number', () => {
    const file = join(directory, 'subuid');
    expect(subordinateIds('ann', file)).toEqual([
      { start: 100000, size: 65536 },
      { start: 300000, size: 10 },
    ]);
    expect(subordinateIds('cy', file, 1001)).toEqual([{ start: 7, size: 7 }]);
    expect(subordinateIds('ann', join(directory, 'missing'))).toEqual([]);
  });

  it('lays them out from 0 on', () => {
    const files = { subuid: join(directory, 'subuid'), subgid: join(directory, 'subgid') };
    expect(subordinateMaps('ann', 'users', files)).toEqual({
      uidMap: parseIdMapTriples('0:100000:65536:65536:300000:10'),
      gidMap: parseIdMapTriples('0:500000:5'),
    });
    expect(() => subordinateMaps('cy', 'users', files)).toThrow(
      `no subuid ranges found for user "cy" in ${files.subuid}`,
    );
    expect(() => subordinateMaps('ann', 'ann', files)).toThrow(
      `no subgid ranges found for group "ann" in ${files.subgid}`,
    );
  });
});
