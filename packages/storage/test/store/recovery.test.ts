import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(`opening a store after a crash (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;

  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('removes incomplete layers, which nobody sees', async () => {
    const store = await roots.open();
    const [layer] = await store.layers.addChain([layerOf(roots.directory, 'base', { a: '1' })]);
    await store.close();
    const json = join(roots.graphRoot, 'overlay-layers/layers.json');
    const [record] = JSON.parse(readFileSync(json, 'utf8'));
    writeFileSync(json, JSON.stringify([{ ...record, flags: { incomplete: true } }]));

    const snapshot = await roots.open({ access: 'snapshot' });
    expect(await snapshot.layers.list()).toEqual([]);
    const again = await roots.open();
    expect(await again.layers.list()).toEqual([]);
    expect(readFileSync(json, 'utf8')).toBe('[]');
    expect(existsSync(join(roots.graphRoot, 'overlay', layer?.id ?? ''))).toBe(false);
    expect(existsSync(join(roots.graphRoot, 'overlay-layers', `${layer?.id}.tar-split.gz`))).toBe(false);
    expect(roots.warnings).toContainEqual(expect.objectContaining({ code: 'INCOMPLETE_LAYER_REMOVED' }));
  });

  it('removes staging, temporary files, and directories without a record', async () => {
    await (await roots.open()).close();
    const orphan = 'ab'.repeat(32);
    const left = [
      'overlay/tempdirs/temp-dir-7/0-addition/etc',
      'overlay-layers/tmp/temp-dir-8',
      `overlay-images/${orphan}`,
      `overlay-containers/${orphan}/userdata`,
    ];
    for (const path of left) mkdirSync(join(roots.graphRoot, path), { recursive: true });
    const files = ['overlay-layers/.tmp-layers.json1', 'overlay-images/.tmp-images.json2'];
    for (const path of files) writeFileSync(join(roots.graphRoot, path), '[');

    await (await roots.open()).images.list();
    for (const path of [...left, ...files]) expect(existsSync(join(roots.graphRoot, path)), path).toBe(false);
    expect(roots.warnings.map(({ code }) => code)).toContain('DEBRIS_REMOVED');
  });

  it('reports a damaged record file and touches nothing', async () => {
    const store = await roots.open();
    await store.layers.addChain([layerOf(roots.directory, 'base', { a: '1' })]);
    await store.close();
    const json = join(roots.graphRoot, 'overlay-layers/layers.json');
    const damaged = readFileSync(json, 'utf8').slice(0, -20);
    writeFileSync(json, damaged);
    await expect(roots.open()).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      facts: { path: json },
      hint: expect.any(String),
    });
    expect(readFileSync(json, 'utf8')).toBe(damaged);
  });
});
