import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { importImage } from '@sediment/image';
import { openStore } from '@sediment/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  corruptCompression,
  type DamagedArchive,
  missingBlobs,
  noArchives,
  noPlatforms,
  truncatedArchives,
  unsafeLayers,
  wrongDigests,
} from '../support/damagedArchives.ts';
import { damagedRecords, wrongOptions } from '../support/damagedStores.ts';
import { overlaySkipReason, rootSkipReason, titled } from '../support/hostAbility.ts';
import { archiveOf, ociLayoutFiles } from '../support/imageArchive.ts';
import { mountsBelow } from '../support/mounts.ts';
import { expectFailure, expectRefusal, type Refusal } from '../support/refusal.ts';
import { type RunResult, runProgram } from '../support/runProgram.ts';
import { SEDIMENT, sediment, sedimentJson, startSediment } from '../support/sediment.ts';
import { makeSeededStore, type SeededStore } from '../support/seededStore.ts';
import { fillInodes, fillSpace, mountReadOnly, mountSmall } from '../support/smallFileSystems.ts';
import { intactArchive, largeArchive, smallArchive } from '../support/soundArchives.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { storeState } from '../support/storeState.ts';
import type { TarItem } from '../support/tarWriter.ts';

const drivers: Array<[DriverName, string | undefined]> = [
  ['overlay', overlaySkipReason],
  ['vfs', rootSkipReason],
];

/** Cases that do not reach the driver are tried with one of them only. */
const mainDriver: DriverName = overlaySkipReason === undefined ? 'overlay' : 'vfs';

describe.each(drivers)('bad input', (driver, skipReason) => {
  describe.skipIf(skipReason)(titled(`with ${driver}`, skipReason), () => {
    let seed: SeededStore;
    beforeAll(async () => {
      seed = await makeSeededStore(driver);
    });
    afterAll(() => seed?.[Symbol.dispose]());

    /** All cases for the main driver, each so manieth for the other one. */
    const share = <T>(cases: T[], every: number): T[] =>
      cases.filter((_, i) => driver === mainDriver || i % every === 0);

    describe.concurrent.each<[string, DamagedArchive[]]>([
      ['an archive that is cut', truncatedArchives],
      ['corrupt compression', corruptCompression],
      ['content that is not what was promised', wrongDigests],
      ['an unsafe layer', unsafeLayers],
      ['missing blobs', missingBlobs],
      ['no platform that fits', noPlatforms],
      ['no archive', noArchives],
    ])('%s', (_, archives) => {
      it.each(share(archives, 8).filter((each) => (each.driver ?? driver) === driver))('$title', (archive) =>
        seed.lend((store) => refuses(store, archive)),
      );
    });

    describe.concurrent('a source that is no file', () => {
      it.each(
        share<[string, (place: string) => string, Refusal]>(
          [
            [
              'an empty directory',
              makeDirectory,
              { code: 'SOURCE_UNRECOGNIZED', says: ['FILE', 'index.json'] },
            ],
            ['a device', () => '/dev/null', { code: 'SOURCE_UNRECOGNIZED', says: ['/dev/null'] }],
            ['nothing', (place) => place, { code: 'SOURCE_NOT_FOUND', says: ['FILE'] }],
            [
              'a directory called an archive',
              directoryAs('oci-archive:'),
              { code: 'SOURCE_UNRECOGNIZED', says: ['FILE'] },
            ],
            ['a registry', () => 'docker://localhost/x', { code: 'TRANSPORT_UNSUPPORTED', says: ['docker'] }],
          ],
          5,
        ),
      )('%s', (_, make, { code, says }) =>
        seed.lend(async (store) => {
          const place = join(store.path, 'source');
          const source = make(place);
          await expectRefusal(store, ['import', source], { code, says: named(says, place) });
          rmSync(place, { recursive: true, force: true });
        }),
      );
    });

    it('keeps names that lead outside inside', () => seed.lend(staysInside));

    describe.concurrent('no space', () => {
      it('for the layers', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.graphRoot, 'size=2m');
        await refusesForSpace(store, store.graphRoot, { archive: gunzipSync(largeArchive) });
      });

      it('for so many files', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.graphRoot, 'size=32m,nr_inodes=150');
        await refusesForSpace(store, store.graphRoot);
      });

      it('in the run root', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.runRoot, 'size=1m,nr_inodes=40');
        await refusesForSpace(store, store.runRoot, { fill: () => fillInodes(store.runRoot) });
      });

      it('for the note of a mount', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.runRoot, 'size=1m,nr_inodes=40');
        await seed.copyInto(store);
        fillInodes(store.runRoot);
        const before = [Object.keys(storeState(store)), mountsBelow(store.path)];
        expectFailure(await startSediment(store, ['mount', 'box']), {
          code: 'NO_SPACE',
          says: [store.runRoot],
        });
        expect([Object.keys(storeState(store)), mountsBelow(store.path)]).toEqual(before);
      });

      it('for records and documents', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.graphRoot, 'size=1m');
        await seed.copyInto(store);
        const file = writeArchive(store, smallArchive);
        const filler = join(store.graphRoot, 'filler');
        const codes: string[] = [];
        for (let pages = 7; !codes.includes('none'); pages += 2) {
          fillSpace(filler, pages);
          // tokens in lock files change, and layers.json may have been written twice
          const before = Object.keys(storeState(store));
          const { exitCode, stderr } = await startSediment(store, ['import', file]);
          if (exitCode !== 0) expect(Object.keys(storeState(store)), stderr).toEqual(before);
          codes.push(/\[(\w+)\]\n/.exec(stderr)?.[1] ?? 'none');
          rmSync(filler);
        }
        expect(new Set(codes)).toEqual(new Set(['NO_SPACE', 'none']));
      });

      it('for the copy of a compressed archive', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.graphRoot, 'size=2m');
        await refusesForSpace(store, store.graphRoot);
      });

      it('for temporary files elsewhere does not matter', async () => {
        await using store = makeStoreRoot({ driver });
        mountSmall(store.tmp, 'size=64k');
        const file = writeArchive(store, largeArchive);
        await sediment(store, ['import', file]);
      });
    });

    /** Makes the store, and then one import too many. */
    async function refusesForSpace(
      store: StoreRoot,
      where: string,
      { archive = largeArchive, fill }: { archive?: Uint8Array; fill?: () => void } = {},
    ): Promise<void> {
      await seed.copyInto(store);
      // what the driver found out about the other file system does not count here
      await sediment(store, ['info']);
      const file = join(store.path, 'large.tar.gz');
      writeFileSync(file, archive);
      fill?.();
      const { stderr } = await expectRefusal(store, ['import', file], { code: 'NO_SPACE', says: [where] });
      expect(stderr).toMatch(/ENOSPC|no space/i);
    }

    describe.concurrent('no permission', () => {
      it('to change a store on a read-only file system', async () => {
        await using store = makeStoreRoot({ driver });
        await seed.copyInto(store);
        const file = writeArchive(store, intactArchive);
        mountReadOnly(store.graphRoot);
        const refusal = { code: 'STORE_READ_ONLY', says: [store.graphRoot] };
        for (const args of [
          ['import', file],
          ['rmi', '--force', 'seed:1'],
          ['create', 'seed:1'],
        ])
          await expectRefusal(store, args, refusal);
      });

      it('to change the run root', async () => {
        await using store = makeStoreRoot({ driver });
        await seed.copyInto(store);
        const file = writeArchive(store, intactArchive);
        mountReadOnly(store.runRoot);
        await expectRefusal(store, ['import', file], { code: 'STORE_READ_ONLY', says: [store.runRoot] });
      });

      it('to change a store as another user', async () => {
        await using store = makeStoreRoot({ driver });
        await seed.copyInto(store);
        const file = writeArchive(store, intactArchive);
        spawnSync('chmod', ['-R', 'a+rX', store.path]);
        const says = [store.graphRoot];
        const denied = { code: 'PERMISSION_DENIED', says } as const;
        await expectRefusal(store, ['import', file], denied, asNobody);
        await expectRefusal(store, ['rmi', 'seed:1'], denied, asNobody);
        // an overlay mount of a user would be gone when the command ends
        const mount = driver === 'vfs' ? denied : ({ code: 'NEEDS_USERNS', says: [] } as const);
        await expectRefusal(store, ['mount', 'box'], mount, asNobody);
      });

      it('to read a store as another user', async () => {
        await using store = makeStoreRoot({ driver });
        await seed.copyInto(store);
        spawnSync('chmod', ['a+rx', store.path]);
        await expectRefusal(
          store,
          ['images'],
          { code: 'PERMISSION_DENIED', says: [store.graphRoot] },
          asNobody,
        );
      });
    });

    describe.concurrent('a damaged record file', () => {
      it.each(share(damagedRecords(driver), 9))('$title', ({ path, damage, args, says }) =>
        seed.lend(async (store) => {
          const file = join(store.path, path);
          const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
          const after = damage(before ?? '');
          expect(after).not.toBe(before);
          mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
          writeFileSync(file, after);
          const archive = writeArchive(store, intactArchive);
          await expectRefusal(
            store,
            args.map((arg) => (arg === 'FILE' ? archive : arg)),
            {
              code: 'RECORD_INVALID',
              says: [file, ...says],
            },
          );
          if (before === undefined) rmSync(file);
          else writeFileSync(file, before);
        }),
      );
    });

    describe.concurrent('a wrong configuration', () => {
      it.each(share(wrongOptions, 20))('$title', ({ options, code, says, prepare }) =>
        seed.lend(async (store) => {
          const place = join(store.path, 'place');
          prepare?.(place);
          const args = [...options.map((arg) => arg.replace('PLACE', place)), 'images'];
          await expectRefusal(store, args, { code, says: says.map((text) => text.replace('PLACE', place)) });
          rmSync(place, { recursive: true, force: true });
        }),
      );
    });

    it('tells programs where and what', () =>
      seed.lend(async (store) => {
        const { graphRoot, runRoot, env } = store;
        const before = storeState(store);
        {
          await using opened = await openStore({ graphRoot, runRoot, driver, env });
          for (const { bytes, code, facts } of [...truncatedArchives, ...wrongDigests, ...unsafeLayers]) {
            if (facts === undefined) continue;
            const path = join(store.path, 'damaged.tar');
            writeFileSync(path, bytes);
            const error = await importImage(opened, path).catch((thrown: unknown) => thrown);
            expect(error).toMatchObject({ code, facts: { path: expect.stringContaining(path), ...facts } });
          }
        }
        expect(storeState(store)).toEqual(before);
      }));
  });
});

async function refuses(store: StoreRoot, { bytes, args = [], code, says }: DamagedArchive): Promise<void> {
  const file = join(store.path, 'damaged.tar');
  writeFileSync(file, bytes);
  await expectRefusal(store, ['import', ...args, file], { code, says: named(says, file) });
}

function named(says: Refusal['says'], file: string): Refusal['says'] {
  return says.map((text) => (text === 'FILE' ? file : text));
}

function makeDirectory(place: string): string {
  mkdirSync(place);
  return place;
}

function directoryAs(transport: string): (place: string) => string {
  return (place) => `${transport}${makeDirectory(place)}`;
}

function writeArchive(store: StoreRoot, bytes: Buffer): string {
  const file = join(store.path, 'image.tar');
  writeFileSync(file, bytes);
  return file;
}

/** Layers that other tools accept too: what they name lies inside of the image, whatever it looks like. */
function layersLeadingTo(outside: string): TarItem[][] {
  const dots = '../../../../../../../..';
  const ways: Array<(evil: string) => TarItem[]> = [
    (evil) => [file(`${dots}${outside}/${evil}`)],
    (evil) => [file(`${outside}/${evil}`)],
    (evil) => [link('to-root', '/'), file(`to-root${outside}/${evil}`)],
    (evil) => [directory(outside), link('to-place', outside), file(`to-place/${evil}`)],
    (evil) => [directory(outside), link('to-above', `${dots}${outside}`), file(`to-above/${evil}`)],
    (evil) => [
      directory(outside),
      link('to-canary', outside),
      file('to-canary/.wh.canary'),
      file(`to-canary/${evil}`),
    ],
  ];
  return ways.map((way, i) => way(`evil-${i}`));
}

function file(name: string): TarItem {
  return { name, content: 'evil\n' };
}

function link(name: string, linkname: string): TarItem {
  return { name, type: 'symlink', linkname };
}

function directory(name: string): TarItem {
  return { name: `${name}/`, type: 'directory' };
}

async function staysInside(store: StoreRoot): Promise<void> {
  const before = storeState(store);
  const outside = join(store.path, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'canary'), 'alive\n');
  const layers = layersLeadingTo(outside);
  const archive = archiveOf(ociLayoutFiles([{ names: ['localhost/evil:1'], layers }]));
  await sediment(store, ['import', writeArchive(store, archive)]);
  expect(readdirSync(outside)).toEqual(['canary']);
  expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('alive\n');
  const stored = await sedimentJson<Array<{ id: string }>>(store, ['layers']);
  for (const [i] of layers.entries()) {
    const inside = stored.map(({ id }) => join(layerTree(store, id), outside, `evil-${i}`));
    expect(
      inside.some((path) => existsSync(path)),
      `evil-${i}`,
    ).toBe(true);
  }
  await sediment(store, ['rmi', 'evil:1']);
  rmSync(outside, { recursive: true });
  expect(Object.keys(storeState(store))).toEqual(Object.keys(before));
}

/** As `startSediment`, by a user without rights. */
function asNobody(store: StoreRoot, args: string[]): Promise<RunResult> {
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const roots = ['--root', store.graphRoot, '--runroot', store.runRoot, '--storage-driver', store.driver];
  return runProgram('setpriv', [...user, process.execPath, SEDIMENT, ...roots, ...args], { env: store.env });
}
