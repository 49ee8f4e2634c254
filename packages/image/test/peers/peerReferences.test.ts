/** References to images of a store: they mean to us what they mean to skopeo. */
import { join } from 'node:path';
import { digestHex, digestOf } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle, podman, skopeo } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { parseImageReference } from '../../src/references/imageReference.ts';
import { findReferencedImage } from '../../src/references/resolveStoreReference.ts';
import type { StoreReference } from '../../src/references/storeReference.ts';
import { configBytes, layerTar } from '../support/imageParts.ts';
import { Layout, named } from '../support/layout.ts';

const LAYERS = [layerTar('etc/a')];
const PLATFORMS = ['linux/amd64', 'linux/arm64'];

let root: StoreRoot;
let store: Store;

function idOf(label: string): string {
  return digestHex(digestOf(configBytes(LAYERS, { config: { Labels: { label } } })));
}

/** Two images whose ids begin with the same three characters, and a third. */
function threeLabels(): [string, string, string] {
  const seen = new Map<string, string>();
  for (let i = 0; ; i++) {
    const begin = idOf(`${i}`).slice(0, 3);
    const other = seen.get(begin);
    if (other !== undefined) return [other, `${i}`, `${i + 1}`];
    seen.set(begin, `${i}`);
  }
}

const LABELS = threeLabels();
const [first, second, third] = LABELS.map(idOf) as [string, string, string];

function makeLayout(): { layout: Layout; digests: string[]; list: string } {
  const layout = new Layout();
  const images = LABELS.map((label) =>
    layout.image({ layers: LAYERS, config: { config: { Labels: { label } } } }, named(label)),
  );
  const instances = PLATFORMS.map((platform) => {
    const { os, architecture } = parsePlatform(platform);
    return layout.image({ layers: LAYERS, config: { os, architecture } }, { platform: { os, architecture } });
  });
  const index = layout.index(instances, named('list'));
  layout.entries(...images, index);
  return { layout, digests: images.map(({ digest }) => digest), list: index.digest };
}

const { layout, digests, list } = makeLayout();

/** The id of the image that skopeo takes, or what it says. */
async function skopeoOn(text: string, platform = 'linux/amd64'): Promise<string> {
  const arch = parsePlatform(platform).architecture;
  const args = ['--override-os', 'linux', '--override-arch', arch, 'inspect', '--config', '--raw', text];
  const { stdout, stderr, exitCode } = await skopeo(root, args, { mayFail: true });
  return exitCode === 0 ? digestHex(digestOf(Buffer.from(stdout))) : stderr;
}

async function weOn(text: string, platform = 'linux/amd64'): Promise<string> {
  try {
    const reference = parseImageReference(text) as StoreReference;
    return (await findReferencedImage(store, reference, parsePlatform(platform))).id;
  } catch (error) {
    return (error as Error).message;
  }
}

const withStore = (rest: string) =>
  `containers-storage:[${root.driver}@${root.graphRoot}+${root.runRoot}]${rest}`;

describe.skipIf(peersSkipReason)(peerTitle('references to images of a store'), () => {
  beforeAll(async () => {
    root = makeStoreRoot();
    const path = layout.writeTo(join(root.path, 'layout'));
    const copy = (from: string, name: string, ...options: string[]) =>
      skopeo(root, [...options, 'copy', '-q', `oci:${path}:${from}`, withStore(name)]);
    await copy(LABELS[0], 'localhost/first:1');
    await copy(LABELS[1], 'docker.io/library/second:latest');
    await copy(LABELS[2], 'quay.io:5000/team/third:3');
    for (const platform of PLATFORMS) {
      const { architecture } = parsePlatform(platform);
      await copy('list', `localhost/multi:${architecture}`, '--override-arch', architecture);
    }
    // a name that the id of another image begins with
    await podman(root, ['tag', second, `docker.io/library/${third.slice(0, 5)}:latest`]);
    store = await openStore({ graphRoot: root.graphRoot, runRoot: root.runRoot, driver: root.driver });
  });
  afterAll(async () => {
    await store?.close();
    root?.dispose();
  });

  it.each([
    ['a full name', 'localhost/first:1', first],
    ['a short name of the registry', 'second', second],
    ['a name with a port', 'quay.io:5000/team/third:3', third],
    ['a full id', first, first],
    ['a full id behind @', `@${first}`, first],
    ['the beginning of an id', first.slice(0, 12), first],
    ['the beginning of an id behind @', `@${first.slice(0, 12)}`, first],
    ['the beginning of an id that is a name, too', third.slice(0, 5), third],
    ['that name in full', `${third.slice(0, 5)}:latest`, second],
    ['a name with an id', `localhost/first:1@${first}`, first],
    ['a name with the beginning of an id', `second@${second.slice(0, 10)}`, second],
    ['another name of the repository with an id', `localhost/first:9@${first}`, first],
    ['a name with a digest', `localhost/first@${digests[0]}`, first],
    ['a name with another tag and a digest', `localhost/first:9@${digests[0]}`, first],
    ['a name with a digest and an id', `localhost/first@${digests[0]}@${first}`, first],
  ])('%s', async (_, rest, id) => {
    expect(await skopeoOn(withStore(rest))).toBe(id);
    expect(await weOn(withStore(rest))).toBe(id);
  });

  it.each([
    ['a name of no image', 'localhost/none:1', 'does not resolve to an image ID'],
    ['a short name that is of this host only', 'first:1', 'does not resolve to an image ID'],
    ['the beginning of two ids', first.slice(0, 3), 'does not resolve to an image ID'],
    ['too short a beginning', first.slice(0, 2), 'does not resolve to an image ID'],
    [
      'the beginning of two ids behind @',
      `@${first.slice(0, 3)}`,
      'does not look like an image ID or digest',
    ],
    ['the beginning of no id behind @', '@fffffffffff', 'does not look like an image ID or digest'],
    ['a full id of no image', 'f'.repeat(64), 'cannot specify 64-byte hexadecimal strings'],
    ['a name in capitals', 'UPPER', 'repository name must be lowercase'],
    ['nothing behind @', 'second@', 'empty trailing digest or ID'],
    ['a digest alone', `@${digests[0]}`, 'invalid reference format'],
    ['the digest of another image', `second@${digests[0]}`, 'does not resolve to an image ID'],
  ])('%s is refused', async (_, rest, message) => {
    expect(await skopeoOn(withStore(rest))).toContain(message);
    expect(await weOn(withStore(rest))).toContain(message);
  });

  it('a name of another image with an id is refused', async () => {
    const text = withStore(`second@${first}`);
    expect(await skopeoOn(text)).toMatch(/identifier is not an image|does not resolve/);
    expect(await weOn(text)).toContain('does not resolve to an image ID');
  });

  it.each(PLATFORMS)('the digest of a list means the image for %s', async (platform) => {
    const text = withStore(`localhost/multi@${list}`);
    const id = await weOn(text, platform);
    expect(await weOn(withStore(`localhost/multi:${parsePlatform(platform).architecture}`))).toBe(id);
    expect(await skopeoOn(text, platform)).toBe(id);
  });

  it.each([
    ['@/x]app', 'invalid reference'],
    ['overlay@]app', 'invalid reference'],
    ['overlay@x]app', 'path name is not absolute'],
    ['overlay@/x+y]app', 'path name is not absolute'],
  ])('the store [%s is refused', async (rest, message) => {
    expect(await skopeoOn(`containers-storage:[${rest}`)).toContain(message);
    expect(await weOn(`containers-storage:[${rest}`)).toContain(message);
  });
});
