import type { CopiedAs, CopiedImage } from '@sediment/image';
import { describe, expect, it } from 'vitest';
import { describeCopy } from '../../src/output/copyText.ts';
import { printCopies } from '../../src/output/printCopies.ts';
import { recordTerminal } from '../support.ts';

const MANIFEST = `sha256:${'a'.repeat(64)}`;

function copied(kinds: readonly CopiedAs[], more: Partial<CopiedImage> = {}): CopiedImage {
  const layers = kinds.map((kind, i) => ({ digest: `sha256:${i}`, size: i, copied: kind }));
  return { id: 'b'.repeat(64), manifestDigest: MANIFEST, names: ['x'], layers, ...more } as CopiedImage;
}

describe('describeCopy', () => {
  it.each<[CopiedImage, string]>([
    [
      copied(['bytes', 'bytes', 'bytes'], { sourceDigest: MANIFEST as never }),
      `3 layers: 3 byte copies; manifest unchanged: ${MANIFEST}`,
    ],
    [
      copied(['present', 'rebuilt'], { sourceDigest: 'sha256:c' as never }),
      `2 layers: 1 already there, 1 rebuilt; new manifest ${MANIFEST}`,
    ],
    [copied(['recompressed']), `1 layer: 1 recompressed; manifest ${MANIFEST}`],
    [
      copied(['bytes', 'decompressed', 'unpacked']),
      `3 layers: 1 byte copy, 1 decompressed, 1 unpacked; manifest ${MANIFEST}`,
    ],
    [copied([]), `no layers; manifest ${MANIFEST}`],
  ])('%#', (image, text) => {
    expect(describeCopy(image, 'Exported', 'as oci:x')).toBe(`Exported bbbbbbbbbbbb as oci:x (${text})`);
  });

  it('calls an index an index', () => {
    const { id, ...index } = copied(['bytes', 'bytes'], { sourceDigest: MANIFEST as never });
    expect(describeCopy(index, 'Copied', 'to dir:x')).toBe(
      `Copied index aaaaaaaaaaaa to dir:x (2 blobs: 2 byte copies; manifest unchanged: ${MANIFEST})`,
    );
  });

  it('escapes what could move the cursor', () => {
    expect(describeCopy(copied([]), 'Copied', 'to oci:\u001b[2J')).toContain('to oci:\\x1b[2J (');
  });
});

describe('printCopies', () => {
  const options = { verb: 'Copied', place: 'to dir:x' };
  const images = [copied(['bytes']), copied([], { manifestDigest: 'sha256:d' as never })];

  it('prints digests only, if asked to be quiet', () => {
    const terminal = recordTerminal();
    printCopies(terminal, images, { ...options, quiet: true, isPiped: false });
    expect(terminal).toMatchObject({ stdout: `${MANIFEST}\nsha256:d\n`, stderr: '' });
  });

  it('prints JSON', () => {
    const terminal = recordTerminal();
    printCopies(terminal, images, { ...options, json: true, isPiped: false });
    expect(JSON.parse(terminal.stdout)).toMatchObject([
      {
        id: 'b'.repeat(64),
        manifestDigest: MANIFEST,
        sourceDigest: null,
        layers: [{ copied: 'bytes', size: 0 }],
      },
      { manifestDigest: 'sha256:d' },
    ]);
  });

  it('leaves standard output to the archive that is there', () => {
    const terminal = recordTerminal();
    printCopies(terminal, images, { ...options, quiet: true, isPiped: true });
    expect(terminal).toMatchObject({ stdout: '', stderr: `${MANIFEST}\nsha256:d\n` });
  });
});
