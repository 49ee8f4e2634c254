import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle, podman } from '../../../../test/support/peers.ts';
import { mustRun } from '../../../../test/support/runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { bigDataFileName } from '../../src/records/bigDataName.ts';
import { containerFormat } from '../../src/records/containerRecord.ts';
import { imageFormat } from '../../src/records/imageRecord.ts';
import { layerFormat } from '../../src/records/layerRecord.ts';
import { mountpointFormat } from '../../src/records/mountpointRecord.ts';
import type { RecordFormat } from '../../src/records/recordFormat.ts';

const MAPS = ['--uidmap', '0:100000:65536', '--gidmap', '0:200000:65536'];
/** Text with everything that Go escapes in its own way. */
const ODD_TEXT = '{"a":"<b>&\u2028\u2029\\ é😀","n":\u00a01}\t\n';

describe.skipIf(peersSkipReason)(peerTitle('record files of Go programs'), () => {
  it.each<DriverName>(['overlay', 'vfs'])('come back byte for byte (%s)', async (driver) => {
    await using store = makeStoreRoot({ driver });
    await fillWithPodman(store);
    await fillWithContainersStorage(store);
    const layers = roundTrip(store, 'layers', layerFormat);
    expect(layers.some((layer) => layer.compression === 'gzip')).toBe(true);
    expect(layers.some((layer) => layer.metadata === ODD_TEXT)).toBe(true);
    expect(layers.some((layer) => layer.bigDataNames.includes('Foo-bar'))).toBe(true);
    expect(layers.some((layer) => layer.uidSet.length > 1)).toBe(true);
    // overlay shifts ids at mount time instead, and records nothing.
    expect(layers.some((layer) => layer.uidMap.length > 0)).toBe(driver === 'vfs');
    const images = roundTrip(store, 'images', imageFormat);
    expect(images.some((image) => image.namesHistory.length > 1)).toBe(true);
    expect(images.some((image) => 'Foo.bar' in image.bigDataSizes)).toBe(true);
    const containers = roundTrip(store, 'containers', containerFormat);
    expect(containers.some((container) => container.flags.Volatile === true)).toBe(true);
    expect(containers.some((container) => container.uidMap[0]?.hostId === 100_000)).toBe(true);
    for (const record of [...layers, ...images, ...containers]) expect(record.unknown).toEqual({});
    const path = join(store.runRoot, `${driver}-layers/mountpoints.json`);
    const mountpoints = roundTripFile(path, mountpointFormat);
    expect(mountpoints).toMatchObject([{ count: 2 }]);
    checkBigDataFiles(store, images);
  });

  it('are read by Go programs after we wrote them', async () => {
    await using store = makeStoreRoot({ driver: 'vfs' });
    await fillWithPodman(store);
    const path = join(store.graphRoot, 'vfs-images/images.json');
    const images = imageFormat.parse(readFileSync(path), path);
    const names = ['localhost/renamed:1'];
    // podman reads it as JSON of its own.
    const metadata = JSON.stringify({ 'signatures-sizes': {}, odd: ODD_TEXT });
    const changed = images.map((image, i) => (i === 0 ? { ...image, names, metadata } : image));
    writeFileSync(path, imageFormat.serialize(changed, path));
    const id = images[0]?.id as string;
    const { stdout } = await containersStorage(store, ['metadata', '-q', 'localhost/renamed:1']);
    expect(stdout).toBe(`${metadata}\n`);
    await podman(store, ['image', 'exists', 'localhost/renamed:1']);
    const listed = await podman(store, ['images', '-q', '--no-trunc', 'localhost/renamed:1']);
    expect(listed.stdout.trim()).toBe(`sha256:${id}`);
  });
});

/** Two images (one of gzip layers with several owners), a volatile and a mapped container, names. */
async function fillWithPodman(store: StoreRoot): Promise<void> {
  const directory = join(store.path, 'tree');
  const script =
    'mkdir -p "$1/etc" && echo x > "$1/etc/file" && chown 12:34 "$1/etc/file" && tar -C "$1" -cf "$1.tar" . && gzip -k "$1.tar"';
  await mustRun('/bin/sh', ['-c', script, 'sh', directory]);
  await podman(store, ['import', '-q', `${directory}.tar`, 'localhost/first:1']);
  await podman(store, [
    'save',
    '-q',
    '--format',
    'oci-archive',
    '-o',
    `${directory}.oci`,
    'localhost/first:1',
  ]);
  await podman(store, ['tag', 'localhost/first:1', 'localhost/second:2', 'quay.io/x/y:z']);
  await podman(store, ['untag', 'localhost/first:1', 'localhost/second:2']);
  await podman(store, ['create', '--rm', '--name', 'volatile', 'localhost/first:1', '/none']);
}

async function fillWithContainersStorage(store: StoreRoot): Promise<void> {
  const run = async (args: string[], input?: string) =>
    (await containersStorage(store, args, input === undefined ? {} : { input })).stdout
      .trim()
      .split(/\s/)[0] as string;
  const metadata = join(store.path, 'metadata');
  writeFileSync(metadata, ODD_TEXT);
  const item = join(store.path, 'item');
  writeFileSync(item, 'item');
  const base = await run(['import-layer', '--name', 'a<&>b', '-f', join(store.path, 'tree.tar.gz')]);
  const top = await run(['create-layer', base]);
  await run(['set-metadata', '-f', metadata, top]);
  for (const key of ['Foo-bar', 'b', 'A']) await run(['set-layer-data', '-f', item, top, key]);
  const image = await run(['create-image', '--name', 'odd', '-m', ODD_TEXT, top]);
  for (const key of ['foo.bar', 'foo-bar', 'Foo.bar', '10', '9', 'manifest-x']) {
    await run(['set-image-data', '-f', item, image, key]);
  }
  const container = await run(['create-container', '--name', 'mapped', '-m', ODD_TEXT, ...MAPS, image]);
  for (const key of ['z', 'Y']) await run(['set-container-data', '-f', item, container, key]);
  await run(['create-layer', ...MAPS, '--name', 'mapped-layer']);
  await run(['mount', container]);
  await run(['mount', container]);
}

function roundTrip<T extends object>(
  { graphRoot, driver }: StoreRoot,
  kind: string,
  format: RecordFormat<T>,
): T[] {
  return roundTripFile(join(graphRoot, `${driver}-${kind}/${kind}.json`), format);
}

/** Parses a file and expects that writing it again would not change a byte. */
function roundTripFile<T extends object>(path: string, format: RecordFormat<T>): T[] {
  const content = readFileSync(path, 'utf8');
  const records = format.parse(content, path);
  expect(records.length).toBeGreaterThan(0);
  expect(format.serialize(records, path)).toBe(content);
  return records;
}

function checkBigDataFiles(
  { graphRoot, driver }: StoreRoot,
  images: ReadonlyArray<{ readonly id: string; readonly bigDataNames: readonly string[] }>,
): void {
  for (const { id, bigDataNames } of images) {
    for (const name of bigDataNames) {
      const path = join(graphRoot, `${driver}-images`, id, bigDataFileName(name));
      expect(existsSync(path), path).toBe(true);
    }
  }
}
