import type { ImportEvent } from '@sediment/image';
import { describe, expect, it } from 'vitest';
import { describeImport, type ImportRow, rowCollector } from '../../src/commands/import.ts';

const row: ImportRow = {
  id: 'a'.repeat(64),
  names: ['localhost/app:1', 'localhost/app:2'],
  digest: null,
  created: '2024-01-01T00:00:00Z',
  layer: null,
  isNew: true,
  layerCount: 3,
  reusedLayers: 1,
  keepsBlobs: false,
};

describe('describeImport', () => {
  it.each<[Partial<ImportRow>, string]>([
    [{}, 'Imported aaaaaaaaaaaa as localhost/app:1, localhost/app:2 (3 layers, 1 of them already there)'],
    [{ reusedLayers: 0 }, 'Imported aaaaaaaaaaaa as localhost/app:1, localhost/app:2 (3 layers)'],
    [{ names: [], layerCount: 1, reusedLayers: 0 }, 'Imported aaaaaaaaaaaa without a name (1 layer)'],
    [
      { keepsBlobs: true },
      'Imported aaaaaaaaaaaa as localhost/app:1, localhost/app:2 (3 layers, 1 of them already there; blobs kept)',
    ],
    [{ isNew: false, names: ['x'], reusedLayers: 3 }, 'Already there: aaaaaaaaaaaa as x (3 layers)'],
  ])('%j', (change, text) => {
    expect(describeImport({ ...row, ...change })).toBe(text);
  });
});

describe('rowCollector', () => {
  it('counts the layers of each image by itself', () => {
    const rows: ImportRow[] = [];
    const collect = rowCollector(rows);
    const info = { ...row, namesHistory: [], digests: [], bigData: [], digest: undefined, layer: 'f' };
    const layers = [1, 2].map((size) => ({ diffID: 'sha256:x', size }));
    const start = { type: 'image-start', total: 2, id: row.id, names: [] };
    const events = [
      { ...start, image: 0, layers },
      { type: 'layer-reused', image: 0, index: 0, id: 'x' },
      { type: 'layer-start', image: 0, index: 1, id: 'y', size: 2 },
      { type: 'image-done', image: 0, info, isNew: true, keepsBlobs: true },
      { ...start, image: 1, layers: layers.slice(1) },
      { type: 'image-done', image: 1, info, isNew: false, keepsBlobs: false },
    ];
    for (const event of events) collect(event as unknown as ImportEvent);
    expect(rows).toEqual([
      { ...row, layer: 'f', layerCount: 2, reusedLayers: 1, keepsBlobs: true },
      { ...row, layer: 'f', layerCount: 1, reusedLayers: 0, isNew: false },
    ]);
  });
});
