import { expect, it } from 'vitest';
import { type LayerUse, layerTree } from '../../src/output/layerTree.ts';

function use(id: string, parent?: string, extra: Partial<LayerUse['layer']> = {}): LayerUse {
  const layer = { id, ...(parent === undefined ? {} : { parent }), names: [], ...extra };
  return { layer: layer as unknown as LayerUse['layer'], images: [], containers: [] };
}

it('draws branches, with notes under a layer and before its children', () => {
  const uses = [
    use('a', undefined, { names: ['one'] }),
    use('b', 'a', { mountPoint: '/m' }),
    use('c', 'a'),
    use('d'),
  ];
  expect(layerTree(uses)).toBe(
    ['(base)', '├─a', '│ name: one', '│ ├─b', '│ │ mount: /m', '│ └─c', '└─d', ''].join('\n'),
  );
});

it('starts a tree below each parent that is not there', () => {
  expect(layerTree([use('a', 'gone'), use('b')])).toBe('gone\n└─a\n(base)\n└─b\n');
});

it('draws nothing of nothing', () => {
  expect(layerTree([])).toBe('');
});
