import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { archiveEvidence } from '../../../scripts/bench/evidence/archiveEvidence.js';
import { compareEvidence } from '../../../scripts/bench/evidence/compareEvidence.js';
import { copyWithFlippedByte } from '../../../scripts/bench/evidence/flippedByte.js';
import { tarMembers } from '../../../scripts/bench/evidence/tarMembers.js';
import {
  asPlainDirectory,
  withoutDeletions,
  withoutRootTime,
} from '../../../scripts/bench/evidence/treeListing.js';
import { digestFile } from '../../../scripts/bench/images/digestFile.js';
import { hex, imageConfig } from '../../../scripts/bench/images/imageDocuments.js';
import { makeLayout, packDockerArchive, packLayout } from '../../../scripts/bench/images/imageForms.js';
import { packTinyLayer } from '../../../scripts/bench/images/madeLayers.js';
import { makeScratchDirectory, removeScratchDirectory } from '../../support/storeRoot.ts';

const scratch: string[] = [];
function scratchDirectory(): string {
  const path = makeScratchDirectory('bench');
  scratch.push(path);
  return path;
}
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

describe('compareEvidence', () => {
  it('tells equal lists from different ones', () => {
    expect(compareEvidence(['a', 'b'], ['a', 'b'])).toMatchObject({ equal: true, lines: 2, differences: [] });
    expect(compareEvidence(['a', 'b'], ['a', 'c']).differences).toEqual([
      "1 lines only on our side, 1 only on the peer's",
      'ours: b',
      'peer: c',
    ]);
  });

  it('notices order and number', () => {
    expect(compareEvidence(['a', 'b'], ['b', 'a']).equal).toBe(false);
    expect(compareEvidence(['a'], ['a', 'a']).differences).toEqual([
      'the same lines in another order or number',
    ]);
    expect(compareEvidence([], ['a']).equal).toBe(false);
  });
});

describe('listings', () => {
  const line = (entry: object): string => JSON.stringify({ xattrs: {}, ...entry });

  it('lose the time of the top directory and nothing else', () => {
    const rest = [line({ path: 'a', mtimeNs: '2' })];
    expect(withoutRootTime([line({ path: '', mode: 1, mtimeNs: '1' }), ...rest])).toEqual([
      line({ path: '', mode: 1 }),
      ...rest,
    ]);
  });

  it('lose marks of deletions in either form', () => {
    const kept = line({ path: 'd/kept', kind: 'file' });
    const marked = line({ path: 'd', xattrs: { 'trusted.overlay.opaque': '79' } });
    const asTar = [
      line({ path: '' }),
      line({ path: 'd', xattrs: { 'user.a': '62' } }),
      line({ path: 'd/.wh.b' }),
      kept,
    ];
    const asOverlay = [line({ path: '' }), marked, line({ path: 'd/b', rdev: '0:0' }), kept];
    expect(withoutDeletions(asTar)).toEqual(withoutDeletions(asOverlay));
    expect(withoutDeletions(asTar)).toHaveLength(2);
  });

  it('count links as a plain directory does', () => {
    const merged = [line({ path: '' }), line({ path: 'a', nlink: 2, links: 'a' })];
    const plain = [line({ path: '', mode: 7 }), line({ path: 'a', nlink: 1 })];
    expect(asPlainDirectory(merged)).toEqual(asPlainDirectory(plain));
    const linked = [...merged, line({ path: 'b', nlink: 2, links: 'a' })];
    expect(asPlainDirectory(linked)).not.toEqual(asPlainDirectory([...plain, line({ path: 'b', nlink: 1 })]));
  });
});

describe('archives of images', () => {
  function tinyImage() {
    const directory = scratchDirectory();
    const layersDirectory = join(directory, 'layers');
    mkdirSync(layersDirectory);
    const layers = [0, 1].map((number) => {
      const made = join(directory, `${number}.tar`);
      packTinyLayer(made, number);
      const diffID = digestFile(made);
      writeFileSync(join(layersDirectory, `${hex(diffID)}.tar`), readFileSync(made));
      return { diffID, size: readFileSync(made).length };
    });
    return { directory, parts: { name: 'localhost/a:1', layers, layersDirectory } };
  }

  it('state the digests that they have, in either form', () => {
    const { directory, parts } = tinyImage();
    const at = (name: string): string => join(directory, name);
    makeLayout(at('layout'), parts, { compression: 'gzip' });
    packLayout(at('oci.tar'), at('layout'));
    mkdirSync(at('documents'));
    packDockerArchive(at('docker.tar'), parts, at('documents'));
    const config = createHash('sha256').update(imageConfig(parts.layers)).digest('hex');
    const expected = [`config sha256:${config}`, ...parts.layers.map(({ diffID }) => `layer ${diffID}`)];
    expect(archiveEvidence(at('oci.tar'), 'oci-archive', at('unpacked'))).toEqual(expected);
    expect(archiveEvidence(at('docker.tar'), 'docker-archive', at('unpacked'))).toEqual(expected);
    expect(existsSync(at('unpacked'))).toBe(false);
  });

  it('are refused as evidence when a digest is wrong', () => {
    const { directory, parts } = tinyImage();
    const at = (name: string): string => join(directory, name);
    makeLayout(at('layout'), parts, { compression: 'none' });
    packLayout(at('oci.tar'), at('layout'));
    copyWithFlippedByte(at('oci.tar'), at('flipped.tar'));
    expect(() => archiveEvidence(at('flipped.tar'), 'oci-archive', at('unpacked'))).toThrow(/has the digest/);
  });

  it('with a flipped byte have a gzip layer that only its digest gives away', () => {
    const { directory, parts } = tinyImage();
    const at = (name: string): string => join(directory, name);
    makeLayout(at('layout'), parts, { compression: 'gzip' });
    packLayout(at('oci.tar'), at('layout'));
    copyWithFlippedByte(at('oci.tar'), at('flipped.tar'));
    const [before, after] = [readFileSync(at('oci.tar')), readFileSync(at('flipped.tar'))];
    const changed = before.findIndex((byte, n) => byte !== after[n]);
    const member = tarMembers(at('oci.tar')).find(
      ({ offset, size }) => changed >= offset && changed < offset + size,
    );
    expect(member).toBeDefined();
    const { offset, size } = member as NonNullable<typeof member>;
    const [left, right] = [before, after].map((bytes) => bytes.subarray(offset, offset + size)) as [
      Buffer,
      Buffer,
    ];
    expect(left.equals(right)).toBe(false);
    expect(gunzipSync(left).equals(gunzipSync(right))).toBe(true);
  });
});
