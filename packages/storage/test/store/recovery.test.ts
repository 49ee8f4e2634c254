import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const ORPHAN = 'ab'.repeat(32);

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

  it('removes noted layers that got no record, and no others', async () => {
    const store = await roots.open();
    const [base] = await store.layers.addChain([layerOf(roots.directory, 'base', { a: '1' })]);
    const [other] = await store.layers.addChain([layerOf(roots.directory, 'other', { b: '2' })]);
    await store.close();
    const json = join(roots.graphRoot, 'overlay-layers/layers.json');
    const [record] = JSON.parse(readFileSync(json, 'utf8'));
    writeFileSync(json, JSON.stringify([record]));
    const staging = join(roots.graphRoot, 'overlay/tempdirs/temp-dir-7');
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, 'note'), [base?.id, other?.id, ORPHAN, '../l', ''].join('\n'));

    const again = await roots.open();
    expect(await again.layers.list()).toMatchObject([{ id: base?.id }]);
    const trees = readdirSync(join(roots.graphRoot, 'overlay')).filter((name) => name.length === 64);
    expect(trees).toEqual([base?.id]);
    expect(existsSync(join(roots.graphRoot, 'overlay-layers', `${other?.id}.tar-split.gz`))).toBe(false);
    expect(existsSync(staging)).toBe(false);
    expect(roots.warnings).toContainEqual(
      expect.objectContaining({ code: 'DEBRIS_REMOVED', object: other?.id }),
    );
  });

  it('removes staging, temporary files, and directories of images without a record', async () => {
    await (await roots.open()).close();
    const left = [
      'graph/overlay/tempdirs/temp-dir-7/0-addition/etc',
      'graph/overlay-layers/tmp/temp-dir-8',
      `graph/overlay-images/${ORPHAN}`,
    ];
    for (const path of left) mkdirSync(join(roots.directory, path), { recursive: true });
    const files = [
      'graph/overlay-layers/.tmp-layers.json1',
      'graph/overlay-images/.tmp-images.json2',
      'graph/overlay-containers/.tmp-containers.json2',
      'run/overlay-layers/.tmp-mountpoints.json3',
    ];
    mkdirSync(join(roots.runRoot, 'overlay-layers'), { recursive: true });
    for (const path of files) writeFileSync(join(roots.directory, path), '[');

    await (await roots.open()).images.list();
    for (const path of [...left, ...files]) expect(existsSync(join(roots.directory, path)), path).toBe(false);
    expect(roots.warnings.map(({ code }) => code)).toContain('DEBRIS_REMOVED');
  });

  it('removes temporary files to which nobody has written for a day', async () => {
    await (await roots.open()).close();
    const spool = join(roots.graphRoot, 'sediment/tmp');
    mkdirSync(spool, { recursive: true });
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const name of ['sediment-spool-old', 'sediment-spool-new', 'else']) {
      writeFileSync(join(spool, name), 'x');
      if (name !== 'sediment-spool-new') utimesSync(join(spool, name), yesterday, yesterday);
    }
    await roots.open();
    expect(readdirSync(spool).sort()).toEqual(['else', 'sediment-spool-new']);
    expect(roots.warnings).toEqual([
      { code: 'DEBRIS_REMOVED', message: expect.stringContaining('1 temporary file'), path: roots.graphRoot },
    ]);
  });

  it('leaves directories of containers, whose records may be kept elsewhere', async () => {
    await (await roots.open()).close();
    const path = join(roots.graphRoot, 'overlay-containers', ORPHAN, 'userdata');
    mkdirSync(path, { recursive: true });
    await (await roots.open()).close();
    expect(existsSync(path)).toBe(true);
    expect(roots.warnings).toEqual([]);
  });

  it('takes away an empty staging directory of ours, and no other', async () => {
    await (await roots.open()).close();
    const [ours, theirs] = ['overlay/tempdirs', 'overlay-layers/tmp'].map((path) =>
      join(roots.graphRoot, path),
    );
    mkdirSync(ours as string);
    chmodSync(ours as string, 0o1700);
    mkdirSync(theirs as string, 0o700);
    await (await roots.open()).close();
    expect([ours, theirs].map((path) => existsSync(path as string))).toEqual([false, true]);
  });

  it('finishes the deletion of a container whose layer is marked', async () => {
    const store = await roots.open();
    await store.images.put({ id: ORPHAN, names: [], bigData: [] });
    const box = await store.containers.create({ image: ORPHAN, names: ['box'] });
    const kept = await store.containers.create({ image: ORPHAN, names: ['kept'] });
    await store.close();
    const json = join(roots.graphRoot, 'overlay-layers/layers.json');
    const records: Array<{ id: string }> = JSON.parse(readFileSync(json, 'utf8'));
    const marked = records.map((record) =>
      record.id === box.layer ? { ...record, flags: { incomplete: true } } : record,
    );
    writeFileSync(json, JSON.stringify(marked));

    const again = await roots.open();
    expect((await again.containers.list()).map(({ id }) => id)).toEqual([kept.id]);
    expect((await again.layers.list()).map(({ id }) => id)).toEqual([kept.layer]);
    expect(roots.warnings).toContainEqual(
      expect.objectContaining({ code: 'DEBRIS_REMOVED', object: box.id }),
    );
  });

  it('saves which of two images keeps a name, as other programs do', async () => {
    const store = await roots.open();
    const ids = ['aa', 'bb'].map((digits) => digits.repeat(32));
    for (const id of ids) await store.images.put({ id, names: [`localhost/${id}:1`], bigData: [] });
    await store.close();
    const json = join(roots.graphRoot, 'overlay-images/images.json');
    const records = JSON.parse(readFileSync(json, 'utf8'));
    writeFileSync(json, JSON.stringify(records.map((record: object) => ({ ...record, names: ['n'] }))));

    await (await roots.open()).close();
    const names = (JSON.parse(readFileSync(json, 'utf8')) as Array<{ names?: string[] }>).map(
      (record) => record.names ?? [],
    );
    expect(names).toEqual([[], ['n']]);
    roots.warnings.length = 0;
    await (await roots.open()).close();
    expect(roots.warnings).toEqual([]);
  });

  it('opens even if an incomplete layer cannot be removed, and removes the others', async () => {
    const store = await roots.open();
    const files = ['one', 'two'].map((name) => layerOf(roots.directory, name, { a: name }));
    const ids: string[] = [];
    for (const file of files) ids.push((await store.layers.addChain([file]))[0]?.id ?? '');
    await store.close();
    const json = join(roots.graphRoot, 'overlay-layers/layers.json');
    const records = JSON.parse(readFileSync(json, 'utf8'));
    writeFileSync(
      json,
      JSON.stringify(records.map((record: object) => ({ ...record, flags: { incomplete: true } }))),
    );
    const [stuck, other] = ids.map((id) => join(roots.graphRoot, 'overlay', id));
    execFileSync('chattr', ['+i', stuck as string]);
    try {
      const again = await roots.open();
      expect(await again.layers.list()).toEqual([]);
      expect(existsSync(other as string)).toBe(false);
      expect(roots.warnings.map(({ code }) => code)).toEqual(
        expect.arrayContaining(['DEBRIS_LEFT', 'INCOMPLETE_LAYER_REMOVED']),
      );
    } finally {
      execFileSync('chattr', ['-i', stuck as string]);
    }
    await (await roots.open()).close();
    expect(existsSync(stuck as string)).toBe(false);
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
