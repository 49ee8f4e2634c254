/** Images with manifests of Docker schema 1: what is imported must be what skopeo records, ids and all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { openStore } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../../../../test/support/peers.ts';
import { makeStoreRoot } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { openStoreSource } from '../../src/sources/store/openStoreSource.ts';
import { layerTar } from '../support/imageParts.ts';
import { EMPTY_GZIP, type Schema1Step, schema1Image, signedManifest, writeDir } from '../support/schema1.ts';

const A = layerTar('etc/a');
const B = layerTar('etc/b');

const TOP = {
  os: 'linux',
  architecture: 'amd64',
  created: '2016-01-03T04:05:06.70+02:00',
  author: 'Ä <me>',
  comment: 'a & b\u2028c',
  docker_version: '1.9.1',
  config: { Env: ['A=<b>&'], Cmd: ['sh'], Labels: { b: '1', a: '2' }, Volumes: null },
  Size: 7,
  parent_id: 'x',
  layer_id: 'sha256:x',
};

const IMAGES: Record<string, { steps: readonly Schema1Step[]; replace?: [string, string] }> = {
  'one layer': { steps: [{ layer: A, fields: TOP }] },
  'steps that change no file': { steps: [{ layer: A }, {}, { layer: B }, { fields: TOP }] },
  'one layer twice': { steps: [{ layer: A }, { layer: A, fields: TOP }] },
  'an empty layer that is not thrown away': {
    steps: [{ layer: A }, { layer: Buffer.alloc(1024), fields: TOP }],
  },
  'spaces, numbers and doubled keys in the configuration': {
    steps: [{ layer: A, fields: { ...TOP, config: { Memory: 'NUMBER' } } }],
    replace: [
      '{\\"Memory\\":\\"NUMBER\\"}',
      '{ \\"Memory\\" : 1.50e+3,\\"x\\":[ 1 , 12345678901234567890 ], \\"x\\" : \\"\\\\u00e4\\\\/\\" }',
    ],
  },
  'a configuration of Docker before 1.8.3': {
    steps: [
      { layer: A },
      {
        fields: {
          ...TOP,
          docker_version: '1.7.1',
          container: 'abc',
          config: {
            Hostname: 'h',
            Cmd: ['x'],
            ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
            Volumes: { '/v': {} },
            Labels: { b: '1', a: '2' },
            OnBuild: [],
            Memory: 5,
            PortSpecs: null,
          },
        },
      },
    ],
  },
  'no history but ids': {
    steps: [
      { layer: A, fields: { created: undefined, container_config: undefined } },
      { layer: B, fields: { os: 'linux', architecture: 'arm64', created: undefined } },
    ],
  },
};

const forms = [
  ['plain', (manifest: Buffer) => manifest],
  ['signed', signedManifest],
] as const;

describe.skipIf(peersSkipReason)(peerTitle('images with manifests of schema 1'), () => {
  describe.each(forms)('%s', (_, form) => {
    it.each(Object.entries(IMAGES))('%s', async (_title, { steps, replace }) => {
      await using theirs = makeStoreRoot();
      await using ours = makeStoreRoot();
      const { manifest, blobs } = schema1Image(steps);
      const text = replace === undefined ? manifest.toString() : manifest.toString().replace(...replace);
      if (replace !== undefined) expect(text).not.toBe(manifest.toString());
      const path = writeDir(join(ours.path, 'image'), form(Buffer.from(text)), blobs);
      await skopeo(theirs, ['copy', '-q', `dir:${path}`, storeReference(theirs, 'localhost/old:1')]);
      await using store = await openStore({
        graphRoot: ours.graphRoot,
        runRoot: ours.runRoot,
        driver: 'overlay',
      });
      await importImage(store, `dir:${path}`, { names: ['localhost/old:1'] });
      const imagesOf = (graph: string) =>
        JSON.parse(readFileSync(join(graph, 'overlay-images/images.json'), 'utf8'));
      const layersOf = (graph: string) =>
        JSON.parse(readFileSync(join(graph, 'overlay-layers/layers.json'), 'utf8')).map(
          ({ created, ...layer }: { created: string }) => layer,
        );
      const [expected] = imagesOf(theirs.graphRoot);
      const [actual] = imagesOf(ours.graphRoot);
      // Without a time of its own an image gets that of its import.
      if (!text.includes('"created')) expected.created = actual.created;
      expect(actual).toEqual(expected);
      expect(layersOf(ours.graphRoot)).toEqual(layersOf(theirs.graphRoot));

      // The store of skopeo, read by us, gives the same image again.
      await using other = await openStore({
        graphRoot: theirs.graphRoot,
        runRoot: theirs.runRoot,
        driver: 'overlay',
      });
      await using source = await openStoreSource(other);
      await using original = await openImageSource(path);
      const read = await source.images[0]?.open();
      const opened = await original.images[0]?.open();
      if (read === undefined || opened === undefined) throw new Error('an image is missing');
      expect(digestOf(read.config.bytes).slice(7)).toBe(expected.id);
      expect(await read.manifest()).toEqual(await opened.manifest());
      expect(read.config).toEqual(opened.config);
      expect(read.layers.map(({ diffID }) => diffID)).toEqual(opened.layers.map(({ diffID }) => diffID));
      expect(read.throwaways?.map(({ digest }) => digest)).toEqual(
        opened.throwaways?.map(({ digest }) => digest),
      );
      for (const throwaway of read.throwaways ?? []) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of throwaway.open()) chunks.push(chunk);
        expect(Buffer.concat(chunks)).toEqual(EMPTY_GZIP);
      }
    });
  });
});
