import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { copyImage } from '../../src/copy/copyImages.ts';
import { exportImage } from '../../src/copy/exportImages.ts';
import { importImage } from '../../src/import/importImage.ts';
import { writeDirImage } from '../support/dirImage.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout } from '../support/layout.ts';
import { readBack } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

/** As binary OpenPGP begins; other programs refuse what begins like nothing that they know. */
const SIGNATURES = ['\x90first signature', '\x90second'];
const LAYERS = [layerTar('etc/a'), layerTar('etc/b')];
const AMD64 = { platform: 'linux/amd64' };
const isRoot = process.getuid?.() === 0;

const place = (name: string): string => join(scratch(), name);

function signedImage(): string {
  const layout = new Layout();
  const path = writeDirImage(place('signed'), layout, layout.image({ layers: LAYERS }));
  for (const [i, text] of SIGNATURES.entries())
    writeFileSync(join(path, `signature-${i + 1}`), text, 'latin1');
  return `dir:${path}`;
}

async function openTestStore({ graphRoot, runRoot, driver, env }: StoreRoot) {
  const options = { graphRoot, runRoot, driver, env: { ...process.env, ...env } };
  return await openStore({ ...options, onWarning: () => undefined });
}

describe('signatures', () => {
  it('go with a manifest that stays as it is', async () => {
    const to = `dir:${place('out')}`;
    await copyImage(signedImage(), to);
    expect((await readBack(to))[0]?.signatures).toEqual(SIGNATURES);
  });

  it('keep an image from where they cannot be, unless they are left behind', async () => {
    for (const transport of ['oci', 'oci-archive', 'docker-archive']) {
      const out = place('out');
      const error = await storageErrorOf(() => copyImage(signedImage(), `${transport}:${out}`));
      expect(error.code).toBe('SIGNATURES_UNSUPPORTED');
      expect(error.message).toContain(`Can not copy signatures to ${transport}:${out}`);
      expect(existsSync(out)).toBe(false);
      await copyImage(signedImage(), `${transport}:${out}`, { removeSignatures: true });
    }
    const to = `dir:${place('without')}`;
    await copyImage(signedImage(), to, { removeSignatures: true });
    expect((await readBack(to))[0]?.signatures).toEqual([]);
  });

  it('of a manifest that changes are left behind, with a warning', async () => {
    const to = `dir:${place('out')}`;
    const codes: string[] = [];
    const onWarning = ({ code }: { code: string }) => codes.push(code);
    await copyImage(signedImage(), to, { compression: 'gzip', onWarning });
    expect(codes).toEqual(['SIGNATURES_DROPPED']);
    expect((await readBack(to))[0]?.signatures).toEqual([]);
  });

  it.skipIf(!isRoot)('are in a store what they are in that of skopeo, and come out again', async () => {
    await using root = makeStoreRoot();
    await using store = await openTestStore(root);
    const image = await importImage(store, signedImage(), { ...AMD64, names: ['app'] });
    const sizes = SIGNATURES.map(({ length }) => length);
    expect(JSON.parse(image.metadata as string)).toEqual({
      'signature-sizes': sizes,
      'signatures-sizes': { [image.manifestDigest]: sizes },
    });
    const to = `dir:${place('out')}`;
    await exportImage(store, 'app', to);
    expect((await readBack(to))[0]?.signatures).toEqual(SIGNATURES);
    const options = { store, removeSignatures: true };
    await copyImage(signedImage(), 'containers-storage:bare', options);
    const bare = await store.images.get('docker.io/library/bare:latest');
    expect(JSON.parse(bare.metadata as string)).toEqual({
      'signatures-sizes': { [image.manifestDigest]: [] },
    });
  });

  it.skipIf(peersSkipReason || !isRoot)(peerTitle('are recorded as skopeo does'), async () => {
    await using ours = makeStoreRoot();
    await using theirs = makeStoreRoot();
    const from = signedImage();
    await skopeo(theirs, ['copy', '-q', from, storeReference(theirs, 'localhost/app:1')]);
    const records: unknown[] = [];
    for (const root of [ours, theirs]) {
      await using store = await openTestStore(root);
      if (root === ours) await importImage(store, from, { ...AMD64, names: ['localhost/app:1'] });
      const { metadata, bigData } = await store.images.get('localhost/app:1');
      records.push({ metadata, bigData });
    }
    expect(records[0]).toEqual(records[1]);
    const back = place('back');
    await skopeo(ours, ['copy', '-q', storeReference(ours, 'localhost/app:1'), `dir:${back}`]);
    expect((await readBack(`dir:${back}`))[0]?.signatures).toEqual(SIGNATURES);
  });
});
