import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rootSkipReason, titled } from '../support/hostAbility.ts';
import {
  archiveOf,
  diffIDsOf,
  type ImageDescription,
  imageIdOf,
  ociLayoutFiles,
} from '../support/imageArchive.ts';
import { sediment, sedimentJson, trySediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const app: ImageDescription = {
  names: ['localhost/app:1'],
  compression: 'gzip',
  layers: [[{ name: 'a', content: 'first' }], [{ name: 'b', content: 'second' }]],
};
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const BYTES = Buffer.from('any bytes at all');

interface BlobRow {
  digest: string;
  size: number;
  diffID: string | null;
  images: string[];
  pinned: boolean;
}

describe.skipIf(rootSkipReason)(titled('sediment blobs', rootSkipReason), () => {
  let store: StoreRoot;
  const at = (name: string) => join(store.path, name);
  const list = () => sedimentJson<BlobRow[]>(store, ['blobs']);
  beforeAll(() => {
    store = makeStoreRoot({ driver: 'vfs' });
    writeFileSync(at('app.tar'), archiveOf(ociLayoutFiles([app])));
    writeFileSync(at('file'), BYTES);
  });
  afterAll(() => store?.dispose());

  it('has nothing to tell of a store that keeps none', async () => {
    expect(await list()).toEqual([]);
    expect((await sediment(store, ['blobs', 'policy'])).stdout).toBe('none\n');
    expect(await sedimentJson(store, ['info'])).toMatchObject({
      keptBlobs: { policy: 'none', blobs: 0, bytes: 0, pinned: 0 },
    });
  });

  it('lists what an import keeps, and whose it is', async () => {
    await sediment(store, ['import', '--keep-blobs', at('app.tar')]);
    const rows = await list();
    expect(rows.flatMap(({ diffID }) => diffID ?? []).sort()).toEqual(diffIDsOf(app).sort());
    expect(rows.map(({ images }) => images)).toEqual(rows.map(() => [imageIdOf(app)]));
    const bytes = rows.reduce((sum, { size }) => sum + size, 0);
    expect(await sedimentJson(store, ['info'])).toMatchObject({ keptBlobs: { blobs: rows.length, bytes } });
    expect(await sedimentJson(store, ['images'])).toMatchObject([
      { keptBlobs: { blobs: rows.length, bytes, complete: true, pinned: false } },
    ]);
    const table = (await sediment(store, ['blobs', 'list'])).stdout;
    expect(table).toMatch(/^DIGEST +SIZE +KIND +PINNED +LAST USED +IMAGES\n/);
    expect(table).toContain('layer (gzip)');
    expect(table).toContain('localhost/app:1');
  });

  it('gives the bytes back, by the beginning of a digest too', async () => {
    const layer = (await list()).find(({ diffID }) => diffID !== null) as BlobRow;
    const { stdoutBytes } = await sediment(store, ['blobs', 'get', layer.digest.slice(7, 19)]);
    expect(digestOf(stdoutBytes)).toBe(layer.digest);
    expect(digestOf(gunzipSync(stdoutBytes))).toBe(layer.diffID);
  });

  it('keeps a file, from standard input too, and lets it go when it is unpinned', async () => {
    const digest = digestOf(BYTES);
    expect((await sediment(store, ['blobs', 'put', '-q', at('file')])).stdout).toBe(`${digest}\n`);
    const put = await sediment(store, ['blobs', 'put', '--pin', '--digest', digest, '-'], { input: BYTES });
    expect(put.stdout).toBe(`Kept ${digest} (16 B, pinned)\n`);
    const refused = await trySediment(store, ['blobs', 'rm', digest]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('[BLOB_IN_USE]');
    expect((await sediment(store, ['blobs', 'unpin', digest])).stdout).toBe(`Unpinned: ${digest}\n`);
    expect((await sediment(store, ['blobs', 'rm', digest])).stdout).toBe(`Deleted: ${digest}\n`);
    expect((await list()).map((row) => row.digest)).not.toContain(digest);
  });

  it('refuses bytes with another digest, and keeps nothing of them', async () => {
    const before = await list();
    const digest = digestOf(Buffer.from('other bytes'));
    const refused = await trySediment(store, ['blobs', 'put', '--digest', digest, at('file')]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('[DIGEST_MISMATCH]');
    expect(await list()).toEqual(before);
  });

  it.each([
    ['a blob that is not kept', ['get', digestOf(Buffer.from('nowhere'))], 1, 'BLOB_UNKNOWN'],
    ['several, of which one is not kept', ['pin', 'fff0000'], 1, 'BLOB_UNKNOWN'],
    ['a file that is not there', ['put', '/nonexistent/file'], 1, 'ENOENT'],
    ['a policy that is none', ['policy', 'some'], 2, 'Allowed choices are none, all, pinned, until-export'],
    ['a command that is none', ['purge'], 2, 'too many arguments'],
  ])('refuses %s', async (_, args, status, text) => {
    const { exitCode, stdout, stderr } = await trySediment(store, ['blobs', ...args]);
    expect({ exitCode, stdout }).toEqual({ exitCode: status, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/\nHint: .+\n$/);
  });

  it('drops what is kept of an image, which stays', async () => {
    const { stdout } = await sediment(store, ['blobs', 'drop', 'app:1']);
    expect(stdout).toMatch(new RegExp(`^Dropped \\d blobs of ${imageIdOf(app).slice(0, 12)} \\(.*B\\)\n$`));
    expect(await list()).toEqual([]);
    expect(await sedimentJson(store, ['images'])).toMatchObject([{ id: imageIdOf(app), keptBlobs: null }]);
  });

  it('obeys the policy of the store, unless the import says otherwise', async () => {
    expect((await sediment(store, ['blobs', 'policy', 'until-export'])).stdout).toBe('until-export\n');
    await sediment(store, ['import', '--no-keep-blobs', at('app.tar')]);
    expect(await list()).toEqual([]);
    const { stdout } = await sediment(store, ['import', at('app.tar')]);
    expect(stdout).toBe(
      `Already there: ${imageIdOf(app).slice(0, 12)} as localhost/app:1 (2 layers; blobs kept)\n`,
    );
    expect(await list()).not.toEqual([]);
    expect((await sediment(store, ['export', 'app:1', at('out.tar')])).stdout).toContain('2 byte copies');
    expect(await list()).toEqual([]);
  });

  it('goes with the image', async () => {
    await sediment(store, ['import', '--keep-blobs', at('app.tar')]);
    await sediment(store, ['rmi', 'app:1']);
    expect(await list()).toEqual([]);
  });
});
