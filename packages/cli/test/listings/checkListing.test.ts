import type { CheckFinding, CheckReport } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { checkText, repairText } from '../../src/listings/checkListing.ts';

const LAYER = 'ab'.repeat(32);
const IMAGE = 'cd'.repeat(32);
const BOX = 'ef'.repeat(32);

const sound: CheckReport = {
  layers: [],
  readOnlyLayers: [],
  images: [],
  readOnlyImages: [],
  containers: [],
  checked: { layers: 1, images: 2, containers: 0 },
  skipped: [],
};

function modified(path: string): CheckFinding {
  return {
    kind: 'layer-modified',
    text: `layer ${LAYER}: +${path}, layer content modified`,
    object: { kind: 'layer', id: LAYER },
    facts: { path },
  };
}

describe('what sediment check prints', () => {
  it('says that all is well', () => {
    expect(checkText(sound, new Map())).toBe('Checked 1 layer, 2 images and 0 containers: no damage\n');
  });

  it('lists faults where they are, and who suffers from them', () => {
    const fault = modified('/etc/new');
    const missing: CheckFinding = {
      kind: 'image-data-missing',
      text: `image ${IMAGE}: data item "manifest": image data item is missing`,
      object: { kind: 'image', id: IMAGE },
      facts: { item: 'manifest' },
    };
    const report: CheckReport = {
      ...sound,
      layers: [{ id: LAYER, findings: [fault] }],
      images: [{ id: IMAGE, findings: [missing, fault] }],
      containers: [{ id: BOX, findings: [missing, fault] }],
    };
    const names = new Map([[IMAGE, ['localhost/app:1', 'app\u001b[2J']]]);
    expect(checkText(report, names)).toBe(
      [
        'layer abababababab',
        '  +/etc/new, layer content modified',
        'image cdcdcdcdcdcd (localhost/app:1, app\\x1b[2J)',
        '  data item "manifest": image data item is missing',
        '  layer abababababab is damaged',
        'container efefefefefef',
        '  image cdcdcdcdcdcd is damaged',
        '  layer abababababab is damaged',
        'Checked 1 layer, 2 images and 0 containers: something is wrong with 1 layer, 1 image and 1 container',
        '',
      ].join('\n'),
    );
  });

  it('shortens long lists', () => {
    const findings = Array.from({ length: 25 }, (_, i) => modified(`/file${i}`));
    const text = checkText({ ...sound, layers: [{ id: LAYER, findings }] }, new Map());
    expect(text).toContain('  +/file9, layer content modified\n  and 15 more: see --format json\n');
  });

  it('says what a repair removed', () => {
    const result = { removed: [{ kind: 'image', id: IMAGE } as const], failed: [] };
    expect(repairText(result, new Map([[IMAGE, ['app:1']]]))).toBe('Removed image cdcdcdcdcdcd (app:1)\n');
  });
});
