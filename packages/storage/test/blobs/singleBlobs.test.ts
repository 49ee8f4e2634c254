import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Digest, digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { chunks, readAll } from '../support/keptImages.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore)('single kept blobs', () => {
  let roots: TempRoots;
  let store: Store;
  const abc = digestOf('abc');

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => await roots.cleanup());

  const place = (...parts: string[]) => join(roots.graphRoot, 'sediment', ...parts);
  const blobPath = (digest: Digest) => place('oci', 'blobs', ...digest.split(':'));

  it('makes nothing in a store that keeps none', async () => {
    expect(await store.blobs.list()).toEqual([]);
    expect(await store.blobs.images()).toEqual([]);
    expect(await store.blobs.has(abc)).toBe(false);
    expect(await store.blobs.stat(abc)).toBeUndefined();
    expect(await store.blobs.usage()).toEqual({ blobs: 0, bytes: 0, pinned: 0 });
    expect(await store.blobs.collect()).toEqual({ blobs: [], bytes: 0, images: [] });
    expect(await store.blobs.dropImage('a'.repeat(64))).toEqual({ blobs: 0, bytes: 0 });
    await store.blobs.exported('a'.repeat(64));
    expect(existsSync(place())).toBe(false);
  });

  it('puts bytes under their digest into a valid layout, and gives them back', async () => {
    const info = await store.blobs.put(chunks('a', 'bc'), { mediaType: 'text/plain' });
    expect(info).toMatchObject({ digest: abc, size: 3, mediaType: 'text/plain', images: [], pinned: false });
    expect(readFileSync(blobPath(abc), 'utf8')).toBe('abc');
    expect(statSync(blobPath(abc)).mode & 0o777).toBe(0o644);
    expect(JSON.parse(readFileSync(place('oci', 'oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    expect(JSON.parse(readFileSync(place('oci', 'index.json'), 'utf8'))).toMatchObject({
      schemaVersion: 2,
      manifests: [],
    });
    expect(readdirSync(place('tmp'))).toEqual([]);
    const kept = await store.blobs.get(abc);
    expect(kept).toMatchObject({
      digest: abc,
      size: 3,
      range: { path: blobPath(abc), offset: 0, length: 3 },
    });
    expect(String(await readAll(kept.open()))).toBe('abc');
    expect(await store.blobs.stat(abc)).toEqual(info);
    expect(await store.blobs.list()).toEqual([info]);
    expect(await store.blobs.usage()).toEqual({ blobs: 1, bytes: 3, pinned: 0 });
  });

  it('keeps the digest that was asked for, sha512 too', async () => {
    const digest = digestOf('abc', 'sha512');
    expect(await store.blobs.put(chunks('abc'), { digest })).toMatchObject({ digest });
    expect(existsSync(blobPath(digest))).toBe(true);
  });

  it('keeps an empty blob', async () => {
    expect(await store.blobs.put(chunks(), { size: 0 })).toMatchObject({ digest: digestOf(''), size: 0 });
    expect(await readAll((await store.blobs.get(digestOf(''))).open())).toHaveLength(0);
  });

  it('refuses other bytes than those announced, and leaves nothing of them', async () => {
    const { blobs } = store;
    await expect(blobs.put(chunks('abd'), { digest: abc })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    await expect(blobs.put(chunks('ab'), { digest: abc, size: 3 })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    await expect(blobs.put(chunks('abc', 'd'), { digest: abc, size: 3 })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    expect(await blobs.list()).toEqual([]);
    expect(readdirSync(place('tmp'))).toEqual([]);
  });

  it('gives on what the source throws, and cleans up', async () => {
    const failing = async function* () {
      yield Buffer.from('a');
      throw new Error('cut off');
    };
    await expect(store.blobs.put(failing(), { digest: abc })).rejects.toThrow('cut off');
    expect(readdirSync(place('tmp'))).toEqual([]);
    expect(await store.blobs.put(chunks('abc'), { digest: abc })).toMatchObject({ digest: abc });
  });

  it('stops waiting for a source that says nothing when it is aborted', async () => {
    const silent = new Readable({ read: () => undefined });
    const stop = new AbortController();
    const put = store.blobs.put(silent, { digest: abc, signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await expect(put).rejects.toMatchObject({ code: 'ABORTED' });
    expect(silent.destroyed).toBe(true);
    expect(readdirSync(place('tmp'))).toEqual([]);
  });

  it('writes once what several put at once, and does not read the others', async () => {
    let opened = 0;
    const source = async function* () {
      opened++;
      yield Buffer.from('ab');
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield Buffer.from('c');
    };
    const puts = Array.from({ length: 5 }, () => store.blobs.put(source(), { digest: abc }));
    for (const info of await Promise.all(puts)) expect(info).toMatchObject({ digest: abc, size: 3 });
    expect(opened).toBe(1);
    const unread = Readable.from([Buffer.from('abc')]);
    await store.blobs.put(unread, { digest: abc });
    expect(unread.destroyed).toBe(true);
    expect(existsSync(join(roots.runRoot, 'sediment', 'blobs'))).toBe(true);
    expect(readdirSync(join(roots.runRoot, 'sediment', 'blobs'))).toEqual([]);
  });

  it('replaces a blob that was cut off', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc, size: 3 });
    truncateSync(blobPath(abc), 1);
    await store.blobs.put(chunks('abc'), { digest: abc, size: 3 });
    expect(readFileSync(blobPath(abc), 'utf8')).toBe('abc');
  });

  it('tells a damaged blob while it is read', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc });
    writeFileSync(blobPath(abc), 'abd');
    await expect(readAll((await store.blobs.get(abc)).open())).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  it('refuses to get or delete or pin what it does not have', async () => {
    for (const call of [store.blobs.get(abc), store.blobs.delete(abc), store.blobs.pin(abc)]) {
      await expect(call).rejects.toMatchObject({ code: 'BLOB_UNKNOWN', facts: { object: abc } });
    }
    await store.blobs.unpin(abc);
  });

  it('deletes a blob, unless it is pinned', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc });
    await store.blobs.pin(abc);
    await store.blobs.pin(abc);
    expect(await store.blobs.stat(abc)).toMatchObject({ pinned: true });
    expect(await store.blobs.usage()).toMatchObject({ pinned: 1 });
    await expect(store.blobs.delete(abc)).rejects.toMatchObject({ code: 'BLOB_IN_USE' });
    expect(await store.blobs.collect({ graceMs: -1000 })).toEqual({ blobs: [], bytes: 0, images: [] });
    await store.blobs.unpin(abc);
    await store.blobs.delete(abc);
    expect(existsSync(blobPath(abc))).toBe(false);
    expect(await store.blobs.list()).toEqual([]);
  });

  it('collects what belongs to nobody after an hour', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc });
    expect((await store.blobs.collect()).blobs).toEqual([]);
    const long = new Date(Date.now() - 61 * 60 * 1000);
    utimesSync(blobPath(abc), long, long);
    // Whoever asks for it again makes it young.
    await store.blobs.put(chunks('abc'), { digest: abc });
    expect((await store.blobs.collect()).blobs).toEqual([]);
    utimesSync(blobPath(abc), long, long);
    expect(await store.blobs.collect()).toEqual({ blobs: [abc], bytes: 3, images: [] });
    expect(existsSync(blobPath(abc))).toBe(false);
  });

  it('collects what a killed program left', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc });
    await store.close();
    const { execFileSync } = await import('node:child_process');
    execFileSync('sh', [
      '-c',
      `mkdir -p "$1/temp-dir-7" && echo half >"$1/temp-dir-7/0-addition" && : >"$1/lock-7"`,
      'sh',
      place('tmp'),
    ]);
    store = await roots.open();
    await store.blobs.put(chunks('other'));
    expect(readdirSync(place('tmp'))).toEqual([]);
  });

  it('remembers the policy, beside other settings', async () => {
    expect(await store.blobs.policy()).toBe('none');
    await store.blobs.setPolicy('until-export');
    expect(await store.blobs.policy()).toBe('until-export');
    expect(existsSync(place('oci'))).toBe(false);
    writeFileSync(place('settings.json'), '{"keepBlobs":"all","other":1}');
    await store.blobs.setPolicy('pinned');
    expect(JSON.parse(readFileSync(place('settings.json'), 'utf8'))).toEqual({
      keepBlobs: 'pinned',
      other: 1,
    });
    await expect(store.blobs.setPolicy('most' as 'all')).rejects.toThrow(TypeError);
    writeFileSync(place('settings.json'), '{"keepBlobs":"most"}');
    await expect(store.blobs.policy()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('reads without writing in a snapshot', async () => {
    await store.blobs.put(chunks('abc'), { digest: abc });
    const snapshot = await roots.open({ access: 'snapshot' });
    expect(String(await readAll((await snapshot.blobs.get(abc)).open()))).toBe('abc');
    expect(await snapshot.blobs.stat(abc)).toMatchObject({ digest: abc, size: 3, images: [] });
    expect(await snapshot.blobs.list()).toHaveLength(1);
    const { blobs } = snapshot;
    for (const write of [
      blobs.put(chunks('x')),
      blobs.delete(abc),
      blobs.pin(abc),
      blobs.setPolicy('all'),
      blobs.collect(),
      blobs.dropImage('x'),
    ]) {
      await expect(write).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    }
  });
});
