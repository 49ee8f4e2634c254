/**
 * What our destinations write, read by other programs; and where these write the same form, compared with
 * what they make of the same image.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
  umoci,
} from '../../../../test/support/peers.ts';
import { runProgram } from '../../../../test/support/runProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { FileTransport, ImageDestination } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import type { ImageDocument } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { configBytes, describe as descriptor, json, layerTar } from '../support/imageParts.ts';
import { Layout, OCI } from '../support/layout.ts';
import {
  blobOf,
  documentOf,
  ociImage,
  putBlobs,
  putImage,
  type TestImage,
  unknownBlob,
  writeImage,
} from '../support/newImage.ts';

const TRANSPORTS: readonly FileTransport[] = ['docker-archive', 'oci', 'oci-archive', 'dir'];
const [A, B, C] = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(70_000)), layerTar('etc/c')] as const;
const NAME = 'localhost/app:1';

let store: StoreRoot;
const at = (name: string) => join(store.path, name);

/** Configs that Go and JavaScript would write differently. */
const CONFIGS: Readonly<Record<string, Record<string, unknown>>> = {
  plain: {},
  full: {
    config: { Env: ['A=<b>&c\u2028'], Labels: { '9': 'x', '10': 'y', ü: '𝄞' }, Cmd: null },
    container: 'abc',
    container_config: { Hostname: 'h' },
    docker_version: '20.10',
    author: 'somebody',
    history: [{ created_by: 'x' }],
  },
  odd: { config: [], container: 1.5e300, docker_version: null },
};

/** As a document of somebody else: spaces, numbers as they are spelled, a key twice. */
const SPELLED = (layers: readonly Buffer[]): Buffer =>
  Buffer.from(
    configBytes(layers)
      .toString()
      .replace(
        '"config":{}',
        '"config" : { "Z" : 1.0, "A":[ 1e2 ,{}] , "s": "a \\" : , } \\u003c" }, "config":{"B":-0}',
      ),
  );

/** The image as skopeo makes it a docker-archive: from a layout with the same config and layers. */
async function archiveOfSkopeo(layers: readonly Buffer[], config: Buffer, name?: string): Promise<Buffer> {
  const layout = new Layout();
  const manifest = layout.put(
    OCI.manifest,
    json({
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: layout.put(OCI.config, config),
      layers: layers.map((layer) => layout.put(OCI.layer, layer)),
    }),
  );
  const from = layout.entries(manifest).writeTo(at('from'));
  const to = at('theirs.tar');
  await skopeo(store, [
    'copy',
    '-q',
    `oci:${from}`,
    `docker-archive:${to}${name === undefined ? '' : `:${name}`}`,
  ]);
  const bytes = readFileSync(to);
  rmSync(from, { recursive: true });
  rmSync(to);
  return bytes;
}

function dockerImageOf(layers: readonly Buffer[], config: Buffer): TestImage {
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = json({
    schemaVersion: 2,
    mediaType,
    config: descriptor('application/vnd.docker.container.image.v1+json', config),
    layers: layers.map((layer) => descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)),
  });
  return { layers, config, manifest: documentOf(mediaType, manifest) };
}

function open(transport: FileTransport, name: string): Promise<ImageDestination> {
  return openImageDestination({ transport, path: at(name) });
}

describe.skipIf(peersSkipReason)(peerTitle('images that we write'), () => {
  beforeAll(() => {
    store = makeStoreRoot();
  });
  afterAll(() => store?.dispose());

  describe('a docker-archive is byte for byte that of skopeo', () => {
    const layerings: readonly (readonly Buffer[])[] = [[], [A], [A, B, C], [A, A], [A, B, A]];
    const cases = Object.entries(CONFIGS).flatMap(([name, config]) =>
      layerings.map((layers) => [name, layers.length, layers, configBytes(layers, config)] as const),
    );

    it.each([...cases, ['spelled', 2, [A, B], SPELLED([A, B])] as const])(
      'config %s, %i layers',
      async (_, __, layers, config) => {
        for (const name of [NAME, undefined]) {
          const theirs = await archiveOfSkopeo(layers, config, name);
          const ours = at('ours.tar');
          const names = name === undefined ? [] : [name];
          await writeImage(open('docker-archive', 'ours.tar'), dockerImageOf(layers, config), { names });
          expect(readFileSync(ours).equals(theirs)).toBe(true);
          rmSync(ours);
        }
      },
    );

    it('and of several images that of podman', async () => {
      const images = [[A, B], [A], [A, C]].map((layers) => ociImage(layers));
      for (const [i, image] of images.entries()) {
        await writeImage(open('oci', `multi-${i}`), image);
        await skopeo(store, [
          'copy',
          '-q',
          `oci:${at(`multi-${i}`)}`,
          storeReference(store, `localhost/multi:${i}`),
        ]);
      }
      await podman(store, ['tag', 'localhost/multi:0', 'localhost/multi:10', 'example.com/a/b:c']);
      const names = ['multi:10', 'multi:1', 'multi:0', 'multi:2'].map((name) => `localhost/${name}`);
      names.push('example.com/a/b:c');
      await podman(store, ['save', '-q', '-m', '-o', at('podman.tar'), ...names]);
      {
        await using destination = await open('docker-archive', 'multi.tar');
        for (const name of names) {
          const { layers, config } = images[Number(/multi:[12]$/.test(name) && name.at(-1))] as TestImage;
          await putImage(destination, dockerImageOf(layers, config), { names: [name] });
        }
        await destination.commit();
      }
      expect(readFileSync(at('multi.tar')).equals(readFileSync(at('podman.tar')))).toBe(true);
    });
  });

  describe.each(TRANSPORTS)('%s', (transport) => {
    const isDocker = transport === 'docker-archive';
    const image = isDocker ? dockerImageOf([A, B], configBytes([A, B])) : ociImage([A, B]);
    const path = `written-${transport}`;

    beforeAll(async () => {
      await using destination = await open(transport, path);
      // The second is of unknown size and digest, so its header is patched.
      await destination.putBlob(blobOf(A));
      await destination.putBlob(unknownBlob(B));
      await putImage(destination, image, { names: [NAME] });
      await destination.commit();
    });

    it('is inspected by skopeo', async () => {
      const reference = `${transport}:${at(path)}`;
      const inspect = async (...options: string[]) =>
        (await skopeo(store, ['inspect', ...options, reference])).stdout;
      expect(await inspect('--raw', '--config')).toBe(image.config.toString());
      if (!isDocker) expect(await inspect('--raw')).toBe(Buffer.from(image.manifest.bytes).toString());
      expect(JSON.parse(await inspect()).Layers).toEqual([A, B].map((layer) => digestOf(layer)));
    });

    it('is copied by skopeo, which verifies all of it, and runs as the same image', async () => {
      const to = storeReference(store, `localhost/from-${transport}:1`);
      await skopeo(store, ['copy', '-q', `${transport}:${at(path)}`, to]);
      const { stdout } = await podman(store, [
        'image',
        'inspect',
        '-f',
        '{{.Id}}',
        `localhost/from-${transport}:1`,
      ]);
      expect(stdout.trim()).toBe(digestHex(digestOf(image.config)));
      const mounted = (
        await podman(store, ['image', 'mount', `localhost/from-${transport}:1`])
      ).stdout.trim();
      expect(readFileSync(join(mounted, 'etc/b'), 'utf8')).toBe('b'.repeat(70_000));
      await podman(store, ['image', 'unmount', `localhost/from-${transport}:1`]);
    });

    it('is loaded by podman', async () => {
      // podman names the image of a layout after its path, as it was given.
      await podman(store, ['load', '-i', path], { cwd: store.path });
      const { stdout } = await podman(store, [
        'images',
        '--no-trunc',
        '--format',
        '{{.ID}} {{.Repository}}:{{.Tag}}',
      ]);
      const name = { dir: '', oci: ' localhost/written-oci:latest' }[transport as string] ?? ` ${NAME}`;
      expect(stdout).toContain(`${digestOf(image.config)}${name}`);
    });
  });

  it('an archive is what tar makes of it', async () => {
    for (const transport of ['docker-archive', 'oci-archive']) {
      mkdirSync(at(`unpacked-${transport}`));
      execFileSync('tar', ['-xf', at(`written-${transport}`), '-C', at(`unpacked-${transport}`)]);
      const listing = execFileSync('tar', ['--numeric-owner', '-tvf', at(`written-${transport}`)]).toString();
      for (const line of listing.trim().split('\n')) expect(line).toMatch(/^\S+ 0\/0 +\d+ 1970-01-01 /);
    }
    const { stdout } = await skopeo(store, ['inspect', '--raw', `oci:${at('unpacked-oci-archive')}`]);
    expect(digestOf(stdout)).toBe(ociImage([A, B]).manifest.digest);
  });

  it('an archive in a pipe is read by skopeo and podman', async () => {
    const image = dockerImageOf([A, C], configBytes([A, C]));
    const fifo = at('fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = runProgram('cat', [fifo]);
    await writeImage(open('docker-archive', 'fifo'), image, { names: ['localhost/piped:1'] });
    const input = (await reading).stdoutBytes;
    expect((await podman(store, ['load'], { input })).stdout).toContain('localhost/piped:1');
    writeFileSync(at('piped.tar'), input);
    const config = await skopeo(store, ['inspect', '--raw', '--config', `docker-archive:${at('piped.tar')}`]);
    expect(config.stdout).toBe(image.config.toString());
  });

  describe('a layout', () => {
    it('is worked on by umoci and skopeo in turn', async () => {
      const layout = at('umoci');
      await umoci(['init', '--layout', layout]);
      await umoci(['new', '--image', `${layout}:empty`]);
      await writeImage(open('oci', 'umoci'), ociImage([A, B]), {
        names: ['ours'],
      });
      await umoci(['tag', '--image', `${layout}:ours`, 'tagged']);
      await umoci(['gc', '--layout', layout]);
      await writeImage(open('oci', 'umoci'), ociImage([C]), { names: ['ours'] });
      const { stdout } = await umoci(['ls', '--layout', layout]);
      expect(stdout.trim().split('\n').sort()).toEqual(['empty', 'ours', 'tagged']);
      await umoci(['unpack', '--rootless', '--image', `${layout}:tagged`, at('bundle')]);
      expect(readFileSync(at('bundle/rootfs/etc/b'), 'utf8')).toBe('b'.repeat(70_000));
      await skopeo(store, ['copy', '-q', `oci:${layout}:tagged`, `oci:${at('umoci-copy')}:x`]);
    });

    it('lists images as skopeo does', async () => {
      const images = { one: ociImage([A]), two: ociImage([C]) };
      for (const [name, image] of Object.entries(images)) {
        await writeImage(open('oci', `merge-${name}`), image, { names: ['x'] });
      }
      const steps: readonly (readonly ['one' | 'two', string | undefined])[] = [
        ['one', 'a'],
        ['one', 'a'],
        ['one', 'b'],
        ['two', 'a'],
        ['two', undefined],
        ['one', undefined],
        ['two', 'b'],
        ['one', 'c'],
        ['two', 'c'],
        ['two', undefined],
        ['one', 'c'],
      ];
      for (const [which, name] of steps) {
        const theirs = `oci:${at('merged-theirs')}${name === undefined ? '' : `:${name}`}`;
        const keep = ['--preserve-digests'];
        await skopeo(store, ['copy', '-q', ...keep, `oci:${at(`merge-${which}`)}:x`, theirs]);
        await writeImage(open('oci', 'merged-ours'), images[which], {
          names: name === undefined ? [] : [name],
        });
        const manifests = ['theirs', 'ours'].map(
          (whose) => JSON.parse(readFileSync(join(at(`merged-${whose}`), 'index.json'), 'utf8')).manifests,
        );
        expect(manifests[1]).toEqual(manifests[0]);
      }
      const blobs = ['theirs', 'ours'].map((whose) =>
        readdirSync(join(at(`merged-${whose}`), 'blobs/sha256')).sort(),
      );
      expect(blobs[1]).toEqual(blobs[0]);
    });

    it.each(['oci', 'oci-archive', 'dir'] as const)(
      'of two platforms is copied by skopeo as a whole: %s',
      async (transport) => {
        const images = ['amd64', 'arm64'].map((architecture) => ociImage([A, B], { architecture }));
        const manifests = images.map(({ manifest, config }) => ({
          ...descriptor(manifest.mediaType, manifest.bytes),
          platform: { os: 'linux', architecture: JSON.parse(config.toString()).architecture },
        }));
        const index: ImageDocument = documentOf(
          OCI.index,
          json({ schemaVersion: 2, mediaType: OCI.index, manifests }),
        );
        {
          await using destination = await open(transport, `two-${transport}`);
          for (const image of images) {
            await putBlobs(destination, image);
            await destination.putInstance(image.manifest);
          }
          await destination.putImage({ document: index, names: ['two'] });
          await destination.commit();
        }
        const to = at(`two-${transport}-copy`);
        await skopeo(store, [
          'copy',
          '-q',
          '--all',
          '--preserve-digests',
          `${transport}:${at(`two-${transport}`)}`,
          `dir:${to}`,
        ]);
        expect(digestOf(readFileSync(join(to, 'manifest.json')))).toBe(index.digest);
      },
    );
  });

  describe('a dir image', () => {
    it('has the files of skopeo', async () => {
      const image = ociImage([A, B]);
      await writeImage(open('oci', 'dir-from'), image, { names: ['x'] });
      await writeImage(open('dir', 'dir-ours'), image);
      await skopeo(store, [
        'copy',
        '-q',
        '--preserve-digests',
        `oci:${at('dir-from')}:x`,
        `dir:${at('dir-theirs')}`,
      ]);
      const contents = ['dir-ours', 'dir-theirs'].map((name) =>
        readdirSync(at(name)).map((file) => [file, readFileSync(join(at(name), file)).toString('latin1')]),
      );
      expect(contents[0]).toEqual(contents[1]);
    });

    it('of skopeo is replaced by ours, and ours by that of skopeo', async () => {
      cpSync(at('dir-theirs'), at('dir-turn'), { recursive: true });
      await writeImage(open('dir', 'dir-turn'), ociImage([C]));
      expect(existsSync(join(at('dir-turn'), digestHex(digestOf(A))))).toBe(false);
      await skopeo(store, ['copy', '-q', `oci:${at('dir-from')}:x`, `dir:${at('dir-turn')}`]);
      expect(readdirSync(at('dir-turn')).sort()).toEqual(readdirSync(at('dir-theirs')).sort());
    });
  });

  it('what skopeo refuses as a destination we refuse, too', async () => {
    mkdirSync(at('foreign'));
    writeFileSync(at('foreign/file'), 'content');
    await writeImage(open('oci', 'refused'), ociImage([A]), { names: ['x'] });
    const refusals = [
      ['dir', 'foreign'],
      ['docker-archive', 'foreign/file'],
      ['docker-archive', 'foreign'],
      ['docker-archive', 'missing/file'],
      ['oci', 'foreign/file'],
      ['dir', 'foreign/file'],
    ] as const;
    for (const [transport, path] of refusals) {
      const to = `${transport}:${at(path)}`;
      const { exitCode } = await skopeo(store, ['copy', '-q', `oci:${at('refused')}:x`, to], {
        mayFail: true,
      });
      expect([to, exitCode]).toEqual([to, 1]);
      await expect(open(transport, path)).rejects.toMatchObject({ code: /^DESTINATION_/ });
    }
    expect(readFileSync(at('foreign/file'), 'utf8')).toBe('content');
  });

  it('an image of skopeo goes through every destination unchanged', async () => {
    await writeImage(open('oci', 'round'), ociImage([A, B]), { names: ['x'] });
    await skopeo(store, ['copy', '-q', `oci:${at('round')}:x`, `docker-archive:${at('round.tar')}:${NAME}`]);
    for (const transport of TRANSPORTS) {
      await using source = await openImageSource(`docker-archive:${at('round.tar')}`);
      const opened = await source.images[0]?.open();
      if (opened === undefined) throw new Error('there is no image');
      {
        await using destination = await open(transport, `round-${transport}`);
        for (const { diffID, size, open: bytes } of opened.layers) {
          await destination.putBlob({ what: 'layer', kind: 'layer', digest: diffID, size, open: bytes });
        }
        await destination.putBlob(blobOf(opened.config.bytes, { kind: 'config' }));
        await destination.putImage({ document: await opened.manifest(), names: [NAME] });
        await destination.commit();
      }
      const raw = await skopeo(store, ['inspect', '--raw', `${transport}:${at(`round-${transport}`)}`]);
      expect(digestOf(raw.stdout)).toBe((await opened.manifest()).digest);
    }
    expect(readFileSync(at('round-docker-archive')).equals(readFileSync(at('round.tar')))).toBe(true);
  });
});
