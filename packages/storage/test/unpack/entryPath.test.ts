import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitEntryPath } from '../../src/unpack/entryPath.ts';
import {
  isAufsLink,
  isAufsMetadata,
  isOpaqueMarker,
  isWhiteoutName,
  whiteoutTarget,
} from '../../src/unpack/whiteoutName.ts';

const component = fc.constantFrom('', '.', '..', '...', '..a', '.a', 'a', 'bb', '.wh.a');

describe('splitEntryPath', () => {
  it('finds the place that a chroot would, for any text', () => {
    const names = fc.array(component, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(
        names.filter((name) => name !== ''),
        (name) => {
          const { parent, base, isRoot } = splitEntryPath(Buffer.from(name));
          const place = posix.resolve('/', name);
          expect(isRoot).toBe(place === '/');
          expect(posix.join('/', parent.toString(), base.toString()).replace(/(?<=.)\/$/, '')).toBe(place);
          if (!isRoot) expect(base.toString()).toBe(posix.basename(place));
        },
      ),
    );
  });

  it.each([Buffer.alloc(0), Buffer.from('a\0b')])('refuses %j', (name) => {
    expect(() => splitEntryPath(name)).toThrow(expect.objectContaining({ code: 'UNPACK_UNSAFE' }));
  });

  it('keeps the cleaned name as it was written', () => {
    expect(splitEntryPath(Buffer.from('./../a/')).clean.toString()).toBe('../a');
    expect(splitEntryPath(Buffer.from('//a')).clean.toString()).toBe('/a');
  });
});

describe('whiteout names', () => {
  it.each([
    ['.wh.a', 'a'],
    ['.wh...a', '..a'],
    ['.wh....', '...'],
    ['.wh..wh.a', '.wh.a'],
    ['.wh.', undefined],
    ['.wh..', undefined],
    ['.wh...', undefined],
  ])('%s deletes %s', (name, target) => {
    expect(isWhiteoutName(Buffer.from(name))).toBe(true);
    expect(whiteoutTarget(Buffer.from(name))?.toString()).toBe(target);
  });

  it.each(['a', '.wh', '.whx', 'a.wh.b', '.Wh.a', ''])('%j is none', (name) => {
    expect(isWhiteoutName(Buffer.from(name))).toBe(false);
  });

  it('knows markers and what AUFS left', () => {
    const names = ['.wh..wh..opq', '.wh..wh.plnk/x', '.wh..wh.orph', '.wh.x'].map((name) =>
      Buffer.from(name),
    );
    expect(names.map(isOpaqueMarker)).toEqual([true, false, false, false]);
    expect(names.map(isAufsMetadata)).toEqual([true, true, true, false]);
    expect(names.map(isAufsLink)).toEqual([false, true, false, false]);
  });
});
