import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveOf, dockerArchiveFiles } from '../support/imageArchive.ts';
import { layoutDefects } from '../support/images/keptLayout.ts';
import { readImage } from '../support/images/readImage.ts';
import { peersSkipReason, peerTitle, podman, storeReference } from '../support/peers.ts';
import { expectFailure } from '../support/refusal.ts';
import { SEDIMENT, sediment, startSediment } from '../support/sediment.ts';
import { mountReadOnly, mountSmall } from '../support/smallFileSystems.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { storeState } from '../support/storeState.ts';

const LARGE = 'localhost/large:1';
const SMALL = 'localhost/small:1';
/** So slow that a copy of the large image surely does not end by itself. */
const SLOWLY = ['--compression', 'zstd', '--compression-level', '19'];
const FORMS = ['docker-archive', 'oci-archive', 'oci', 'dir'] as const;

describe.skipIf(peersSkipReason)(
  peerTitle('an export that is not alone, or does not come to its end,'),
  () => {
    /** A store with a large image and a small one, and a directory that only one test uses. */
    let store: StoreRoot;
    let directories = 0;
    beforeAll(async () => {
      store = makeStoreRoot();
      const content = Buffer.alloc(64 << 20);
      for (let i = 0; i < content.length; i += 4) content.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
      const images = [
        { names: [LARGE], layers: [[{ name: 'small', content: 'small' }], [{ name: 'large', content }]] },
        { names: [SMALL], layers: [[{ name: 'small', content: 'small' }]] },
      ];
      writeFileSync(join(store.path, 'images.tar'), archiveOf(dockerArchiveFiles(images)));
      await sediment(store, ['import', '--all', join(store.path, 'images.tar')]);
    });
    afterAll(() => store?.dispose());

    function makePlace(): string {
      directories += 1;
      const place = join(store.path, `place-${directories}`);
      mkdirSync(place);
      return place;
    }

    it('leaves one whole archive of two that were written at once', async () => {
      const place = makePlace();
      const to = `oci-archive:${join(place, 'a.tar')}`;
      const results = await Promise.all([
        startSediment(store, ['export', LARGE, to]),
        startSediment(store, ['export', LARGE, to]),
      ]);
      const [won, lost] = results.sort((a, b) => (a.exitCode ?? 9) - (b.exitCode ?? 9));
      expect(won?.exitCode, won?.stderr).toBe(0);
      expect(lost).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/\[DESTINATION_(BUSY|EXISTS)\]\nHint: /),
      });
      expect(readdirSync(place)).toEqual(['a.tar']);
      const image = await readImage(store, to);
      expect(image.diffIDs).toEqual((await readImage(store, storeReference(store, LARGE))).diffIDs);
    });

    it('leaves all images in a layout that several write to at once', async () => {
      const layout = join(makePlace(), 'layout');
      const names = [1, 2, 3, 4].map((i) => `name-${i}`);
      await Promise.all(
        names.map((name, i) => sedimentQuietly(['export', i % 2 ? SMALL : LARGE, `oci:${layout}:${name}`])),
      );
      expect(layoutDefects(layout)).toEqual([]);
      for (const name of names)
        expect((await readImage(store, `oci:${layout}:${name}`)).diffIDs).not.toEqual([]);
    });

    it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing after %s', async (signal) => {
      for (const form of ['oci-archive', 'oci', 'dir']) {
        const place = makePlace();
        const to = `${form}:${join(place, 'made')}`;
        const { exitCode, stderr } = await interrupted(['export', ...SLOWLY, LARGE, to], signal);
        expect({ form, exitCode }, stderr).toEqual({ form, exitCode: signal === 'SIGINT' ? 130 : 143 });
        expect(readdirSync(place), form).toEqual([]);
      }
    });

    it('leaves nothing in a layout that was there before', async () => {
      const place = makePlace();
      await sedimentQuietly(['export', SMALL, `oci:${place}/made:small`]);
      const before = readdirSync(place, { recursive: true }).sort();
      await interrupted(['export', ...SLOWLY, LARGE, `oci:${place}/made:large`], 'SIGINT');
      expect(readdirSync(place, { recursive: true }).sort()).toEqual(before);
    });

    it('is done again after it was killed, and nothing of the first try stays', async () => {
      const place = makePlace();
      const to = `oci-archive:${join(place, 'made.tar')}`;
      const { signal } = await interrupted(['export', ...SLOWLY, LARGE, to], 'SIGKILL');
      expect(signal).toBe('SIGKILL');
      expect(readdirSync(place)).not.toContain('made.tar');
      // a lock whose holder is dead is taken over
      await sedimentQuietly(['export', SMALL, to]);
      expect(readdirSync(place)).toEqual(['made.tar']);
    });

    it.each(['oci-archive', 'docker-archive'])('says that the reader of a %s went away', async (form) => {
      const child = spawn(process.execPath, [SEDIMENT, ...roots(), 'export', LARGE, `${form}:/dev/stdout`], {
        env: { ...process.env, ...store.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const stderr: Buffer[] = [];
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.stdout.once('data', () => child.stdout.destroy());
      const [exitCode] = await once(child, 'close');
      const error = Buffer.concat(stderr).toString();
      expect({ exitCode, error }).toEqual({
        exitCode: 1,
        error: expect.stringMatching(/^Error: .*EPIPE.* \[IO\]\nHint: /),
      });
      expect(readdirSync(store.tmp)).toEqual([]);
    });

    it.each(FORMS)('leaves nothing of a %s on a full disk', async (form) => {
      const place = makePlace();
      mountSmall(place, 'size=8m');
      const result = await startSediment(store, ['export', LARGE, `${form}:${join(place, 'made')}`]);
      expectFailure(result, { code: 'NO_SPACE', says: [place] });
      expect(readdirSync(place)).toEqual([]);
    });

    it.each(FORMS)('makes no %s where nothing can be written', async (form) => {
      const place = makePlace();
      mountReadOnly(place);
      const result = await startSediment(store, ['export', SMALL, `${form}:${join(place, 'made')}`]);
      expectFailure(result, { code: 'PERMISSION_DENIED', says: [place, 'EROFS'] });
    });

    it('leaves nothing of an image that is imported with its blobs', async () => {
      const before = storeState(store);
      const source = await startSediment(store, ['export', LARGE, 'docker-archive:/dev/stdout']);
      const half = source.stdoutBytes.subarray(0, source.stdoutBytes.length / 2);
      await using other = makeStoreRoot();
      await sediment(other, ['images']);
      const empty = storeState(other);
      const cut = await startSediment(other, ['import', '--keep-blobs', '-'], { input: half });
      expectFailure(cut, { code: 'TAR_TRUNCATED', says: [] });
      expect(storeState(other)).toEqual(empty);
      expect(storeState(store)).toEqual(before);
    });

    function roots(): string[] {
      return ['--root', store.graphRoot, '--runroot', store.runRoot, '--storage-driver', store.driver];
    }

    async function sedimentQuietly(args: string[]): Promise<void> {
      const { exitCode, stderr } = await startSediment(store, args);
      expect(exitCode, stderr).toBe(0);
    }

    /** Sends a signal as soon as the command tells that bytes of the second layer move. */
    async function interrupted(
      args: string[],
      signal: NodeJS.Signals,
    ): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; stderr: string }> {
      const child = spawn(process.execPath, [SEDIMENT, ...roots(), ...args, '--progress', 'json'], {
        env: { ...process.env, ...store.env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      let isSent = false;
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk;
        if (isSent || !/"layer-progress"/.test(stderr)) return;
        isSent = true;
        setTimeout(() => child.kill(signal), 100);
      });
      const [exitCode, ended] = await once(child, 'close');
      return { exitCode, signal: ended, stderr };
    }
  },
);

describe.skipIf(peersSkipReason)(peerTitle('a destination that is taken'), () => {
  let store: StoreRoot;
  beforeAll(async () => {
    store = makeStoreRoot();
    writeFileSync(
      join(store.path, 'small.tar'),
      archiveOf(dockerArchiveFiles([{ names: [SMALL], layers: [[{ name: 'small', content: 'small' }]] }])),
    );
    await podman(store, ['load', '--quiet', '--input', join(store.path, 'small.tar')]);
  });
  afterAll(() => store?.dispose());

  const refused = async (to: string, code: string, says: string): Promise<void> => {
    const result = await startSediment(store, ['export', SMALL, to]);
    expectFailure(result, { code, says: [says] });
  };

  it.each(['docker-archive', 'oci-archive'])(
    'by a file keeps it, unless %s is told to replace it',
    async (form) => {
      const file = join(store.path, `${form}.tar`);
      writeFileSync(file, 'important');
      await refused(`${form}:${file}`, 'DESTINATION_EXISTS', file);
      expect(readFileSync(file, 'utf8')).toBe('important');
      await sediment(store, ['export', '--overwrite', SMALL, `${form}:${file}`]);
      expect((await readImage(store, `${form}:${file}`)).diffIDs).toHaveLength(1);
    },
  );

  it('by other files keeps them', async () => {
    const directory = join(store.path, 'important');
    mkdirSync(directory);
    writeFileSync(join(directory, 'data'), 'important');
    await refused(
      `dir:${directory}`,
      'DESTINATION_INVALID',
      "not a containers image directory, don't want to overwrite important data",
    );
    await refused(`docker-archive:${directory}`, 'DESTINATION_INVALID', directory);
    await refused(`oci:${join(directory, 'data')}`, 'DESTINATION_INVALID', directory);
    expect(readdirSync(directory)).toEqual(['data']);
    expect(readFileSync(join(directory, 'data'), 'utf8')).toBe('important');
  });

  it('by an image directory replaces it, as skopeo does', async () => {
    const directory = join(store.path, 'image');
    await sediment(store, ['export', SMALL, `dir:${directory}`]);
    writeFileSync(join(directory, 'signature-1'), 'of another image');
    await sediment(store, ['export', SMALL, `dir:${directory}`]);
    expect(readdirSync(directory)).not.toContain('signature-1');
    expect((await readImage(store, `dir:${directory}`)).diffIDs).toHaveLength(1);
  });

  it('in a directory that does not exist makes none', async () => {
    for (const form of ['docker-archive', 'oci-archive']) {
      await refused(`${form}:${join(store.path, 'none/made.tar')}`, 'DESTINATION_INVALID', 'none');
    }
    expect(readdirSync(store.path)).not.toContain('none');
  });
});
