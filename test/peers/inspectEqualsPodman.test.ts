import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveOf, dockerArchiveFiles, ociLayoutFiles } from '../support/imageArchive.ts';
import { peersSkipReason, peerTitle, podman } from '../support/peers.ts';
import { sediment, sedimentJson } from '../support/sediment.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { tinyImage } from '../support/tinyImage.ts';

type Inspection = Record<string, unknown>;

const config = {
  User: '1000',
  Env: ['PATH=/bin', 'TEXT=<a & b>'],
  Cmd: ['/bin/sh'],
  Entrypoint: ['/bin/ls'],
  WorkingDir: '/tmp',
  Labels: { a: '1', b: '' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
  StopSignal: 'SIGINT',
};
const oci = { ...tinyImage('localhost/oci:1'), config };
const docker = { ...tinyImage('localhost/docker:1'), config: { ...config, Hostname: 'x', Tty: false } };

/** The same object through both programs; ours has these keys besides podman's. */
async function bothInspect(store: StoreRoot, kind: 'image' | 'container', name: string) {
  const [ours] = await sedimentJson<Inspection[]>(store, ['inspect', '--type', kind, name]);
  const { stdout } = await podman(store, [kind, 'inspect', name]);
  const [theirs] = JSON.parse(stdout) as Inspection[];
  return { ours: ours as Inspection, theirs: theirs as Inspection };
}

describe.skipIf(peersSkipReason).each<[DriverName]>([['overlay'], ['vfs']])(
  peerTitle('sediment inspect on %s'),
  (driver) => {
    let store: StoreRoot;
    beforeAll(async () => {
      store = makeStoreRoot({ driver });
      const files = { 'oci.tar': ociLayoutFiles([oci]), 'docker.tar': dockerArchiveFiles([docker]) };
      for (const [name, content] of Object.entries(files)) {
        writeFileSync(join(store.path, name), archiveOf(content));
        await sediment(store, ['import', join(store.path, name)]);
      }
      await sediment(store, ['tag', 'oci:1', 'quay.io/x/y:2', 'again']);
      await podman(store, ['create', '--name', 'theirs', 'localhost/oci:1', 'x']);
    });
    afterAll(() => store?.dispose());

    it.each([['localhost/oci:1'], ['localhost/docker:1']])(
      'agrees with podman about the image %s',
      async (name) => {
        const { ours, theirs } = await bothInspect(store, 'image', name);
        const { TopLayer, KeptBlobs, ...common } = ours;
        expect(TopLayer).toMatch(/^[0-9a-f]{64}$/);
        expect(KeptBlobs).toBeNull();
        const expected = Object.fromEntries(Object.keys(common).map((key) => [key, theirs[key]]));
        expect(common).toEqual(expected);
      },
    );

    it("agrees with podman about podman's container, mounted or not", async () => {
      const compare = async () => {
        const { ours, theirs } = await bothInspect(store, 'container', 'theirs');
        for (const key of ['Id', 'Name', 'Image', 'GraphDriver', 'MountLabel', 'ProcessLabel']) {
          expect({ [key]: ours[key] }).toEqual({ [key]: theirs[key] });
        }
        return ours.GraphDriver as { Data: Record<string, string> | null };
      };
      expect((await compare()).Data ?? {}).not.toHaveProperty('MergedDir');
      const root = (await podman(store, ['mount', 'theirs'])).stdout.trim();
      const { Data } = await compare();
      if (driver === 'overlay') expect(Data).toHaveProperty('MergedDir', root);
      else expect(Data).toBeNull();
      expect(await sedimentJson(store, ['mount'])).toMatchObject([{ names: ['theirs'], path: root }]);
      await podman(store, ['umount', 'theirs']);
    });

    it('agrees with podman about the sizes of images', async () => {
      const ours = await sedimentJson<Array<{ id: string; size: number }>>(store, ['images']);
      const theirs = JSON.parse((await podman(store, ['images', '--format', 'json'])).stdout);
      const sizes = Object.fromEntries(
        theirs.map(({ Id, Size }: { Id: string; Size: number }) => [Id, Size]),
      );
      expect(Object.fromEntries(ours.map(({ id, size }) => [id, size]))).toEqual(sizes);
    });
  },
);
