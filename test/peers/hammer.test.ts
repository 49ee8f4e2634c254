import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importImage } from '@sediment/image';
import { openStore, type Store } from '@sediment/storage';
import { describe, expect, it, onTestFinished } from 'vitest';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { findDebris } from '../support/leftovers.ts';
import { unmountBelow } from '../support/mounts.ts';
import { peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { layerChain, readRecords } from '../support/records.ts';
import { startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { podmanContainers, podmanImages, sedimentContainers, sedimentImages } from '../support/views.ts';

const DURATION_MS = 10_000;
const ACTORS = 3;
/** What may come of an operation when others delete and rename the same things. */
const EXPECTED = /not known|in use|is not mounted|was deleted while/;

interface Course {
  readonly store: StoreRoot;
  readonly archives: readonly string[];
  readonly end: number;
  /** Failures that nothing another program does can excuse. */
  readonly failures: string[];
  done: number;
}

const nameOf = (image: number) => `localhost/hammer${image}:1`;
const pick = <T>(choices: readonly T[]): T => choices[Math.floor(Math.random() * choices.length)] as T;

/** Images that share their base layer, so that every deletion meets layers that others use. */
function writeArchives(store: StoreRoot): string[] {
  return Array.from({ length: ACTORS + 1 }, (_, image) => {
    const layers = [
      [{ name: 'base', content: Buffer.alloc(300_000, 'base') }],
      [{ name: 'own', content: Buffer.from(`image ${image}`) }],
    ];
    const path = join(store.path, `${image}.tar`);
    writeFileSync(
      path,
      archiveOf(ociLayoutFiles([{ names: [nameOf(image)], config: { Cmd: ['/own'] }, layers }])),
    );
    return path;
  });
}

/** Runs commands, each a process of its own. */
async function commandActor(course: Course, actor: number): Promise<void> {
  const { store, archives, failures } = course;
  while (Date.now() < course.end) {
    const image = Math.floor(Math.random() * archives.length);
    const box = `box${actor}`;
    const args = pick([
      ['import', archives[image] as string],
      ['create', '--name', box, nameOf(image)],
      ['rmi', nameOf(image)],
      ['mount', box],
      ['unmount', box],
      ['rm', box],
    ]);
    const { exitCode, stderr } = await startSediment(store, args);
    course.done += 1;
    // with success comes no warning: nobody took what another was working on for a left-over
    const said = stderr.replace(/^Note: .*\n/gm, '');
    if (exitCode === 0 ? said !== '' : !EXPECTED.test(stderr)) failures.push(`${args.join(' ')}: ${stderr}`);
  }
}

/** A program that keeps the store open, and so relies on what it remembers of it. */
async function embeddingActor(course: Course, store: Store, actor: number): Promise<void> {
  const box = `box${actor}`;
  while (Date.now() < course.end) {
    const image = Math.floor(Math.random() * course.archives.length);
    const operation = pick<() => Promise<unknown>>([
      () => importImage(store, course.archives[image] as string),
      () => store.containers.create({ image: nameOf(image), names: [box] }),
      () => store.images.delete(nameOf(image)),
      () => store.mount(box),
      () => store.unmount(box),
      () => store.containers.delete(box),
      () => store.images.addNames(nameOf(image), [`localhost/tagged${actor}:1`]),
      () => Promise.all([store.layers.list(), store.images.list(), store.containers.list()]),
    ]);
    try {
      await operation();
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (!EXPECTED.test(message)) course.failures.push(`in-process: ${code}: ${message}`);
    }
    course.done += 1;
  }
}

/** Whatever podman says: it is no test of podman. */
async function podmanActor(course: Course): Promise<void> {
  while (Date.now() < course.end) {
    const name = nameOf(Math.floor(Math.random() * course.archives.length));
    const args = pick([
      ['tag', name, 'localhost/podman:1'],
      ['rmi', 'localhost/podman:1'],
      ['create', '--pull', 'never', '--network', 'none', '--name', 'theirs', name],
      ['rm', 'theirs'],
      ['images', '--all'],
    ]);
    await podman(course.store, args, { mayFail: true });
    course.done += 1;
  }
}

/** Everything that a record names is there, once, and nothing else is. */
function findDamage(store: StoreRoot): string[] {
  const records = readRecords(store);
  const missing = (what: string, path: string) => (existsSync(path) ? [] : [`${what} lacks ${path}`]);
  const doubled = (values: readonly string[]) => values.filter((value, i) => values.indexOf(value) !== i);
  for (const { layer } of [...records.images, ...records.containers]) layerChain(records, layer);
  return [
    ...records.layers.flatMap(({ id, flags }) => [
      ...missing(`layer ${id}`, join(store.graphRoot, 'overlay', id, 'diff')),
      ...(flags === undefined ? [] : [`layer ${id} has flags ${JSON.stringify(flags)}`]),
    ]),
    ...records.containers.flatMap(({ id, image }) =>
      records.images.some((each) => each.id === image) ? [] : [`container ${id} lacks image ${image}`],
    ),
    ...[records.layers, records.images, records.containers].flatMap((kind) => [
      ...doubled(kind.map(({ id }) => id)).map((id) => `${id} twice`),
      ...doubled(kind.flatMap(({ names }) => names ?? [])).map((name) => `name ${name} twice`),
    ]),
    ...findDebris(store),
  ];
}

describe.skipIf(peersSkipReason)(peerTitle('a store that several programs change at once'), () => {
  it('stays sound, loses nothing, and looks the same to podman and to us', async () => {
    const store = makeStoreRoot();
    onTestFinished(() => store.dispose());
    const archives = writeArchives(store);
    const course: Course = { store, archives, end: Date.now() + DURATION_MS, failures: [], done: 0 };
    const { graphRoot, runRoot, path } = store;
    const warnings: string[] = [];
    const embedded = await openStore({
      graphRoot,
      runRoot,
      driver: 'overlay',
      env: { HOME: path },
      onWarning: ({ code, message }) => warnings.push(`${code}: ${message}`),
    });
    await Promise.all([
      commandActor(course, 0),
      commandActor(course, 1),
      embeddingActor(course, embedded, 2),
      podmanActor(course),
    ]);
    expect(course.failures).toEqual([]);
    expect(warnings).toEqual([]);
    expect(course.done).toBeGreaterThan(30);

    // what each program does last, all of them side by side, is there in the end
    await Promise.all([
      startSediment(store, ['import', archives[0] as string]),
      startSediment(store, ['import', archives[1] as string]),
      importImage(embedded, archives[2] as string),
      podman(store, ['load', '--input', archives[3] as string]),
    ]);
    const names = (await sedimentImages(store)).flatMap((image) => image.names);
    expect(names).toEqual(expect.arrayContaining([0, 1, 2, 3].map(nameOf)));

    for (const { layer } of await embedded.mounts()) await embedded.unmount(layer, { force: true });
    await embedded.close();
    expect(await podmanImages(store)).toEqual(await sedimentImages(store));
    expect(await podmanContainers(store)).toEqual(await sedimentContainers(store));
    unmountBelow(store.path);
    expect(findDamage(store)).toEqual([]);
  });
});
