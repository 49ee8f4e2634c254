import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf, dockerArchiveFiles } from '../imageArchive.ts';
import { buildah, podman, skopeo, storeReference } from '../peers.ts';
import type { StoreRoot } from '../storeRoot.ts';
import { tinyImage } from '../tinyImage.ts';

/** The images in the library's store. All of them run. */
export const APP = 'localhost/app:1';
export const APP_DOCKER = 'localhost/app-docker:1';
export const APP_ARM = 'localhost/app-arm:1';
export const LIST = 'localhost/list:1';

/** What the images' layers are compressed with, by skopeo; `chunked` is zstd:chunked. */
export const COMPRESSIONS = ['gzip', 'zstd', 'chunked', 'none'] as const;

/**
 * Makes images with the programs that people make them with, and saves them in every form:
 *
 * - `oci/COMPRESSION`, `oci-archive/COMPRESSION.tar` and `dir/COMPRESSION`: the OCI image, by skopeo
 * - `oci/buildah`, `oci-archive/podman.tar`, `oci-archive/buildah.tar`
 * - `dir/v2s2`: the Docker image with gzip layers; `dir/v2s1`: the same in the oldest form; `dir/podman`
 * - `docker-archive/skopeo.tar`, `…/podman.tar`, `…/buildah.tar`, and `…/multi.tar` with two images of podman
 * - `oci/index`, `oci-archive/index.tar` (OCI) and `dir/list` (Docker): both platforms, by buildah
 */
export async function saveImages(store: StoreRoot, root: string): Promise<void> {
  for (const name of ['oci', 'oci-archive', 'dir', 'docker-archive']) mkdirSync(join(root, name));
  await buildImages(store, root);
  await Promise.all([saveWithSkopeo(store, root), saveWithPodman(store, root), saveWithBuildah(store, root)]);
}

/** Three layers on one base: an OCI image, a Docker image, and a Docker image that says it is for arm64. */
async function buildImages(store: StoreRoot, root: string): Promise<void> {
  const base = join(root, 'base.tar');
  writeFileSync(base, archiveOf(dockerArchiveFiles([tinyImage('localhost/base:1')])));
  await podman(store, ['load', '--quiet', '--input', base]);
  const labels = ['--label', 'org.example.label=kept', '--author', 'the tests'];
  const annotation = ['--annotation', 'org.example.note=kept'];
  await build(store, { name: APP, format: 'oci', config: [...labels, ...annotation] });
  await build(store, { name: APP_DOCKER, format: 'docker', config: labels });
  await build(store, { name: APP_ARM, format: 'docker', config: ['--arch', 'arm64'] });
  await buildah(store, ['manifest', 'create', LIST]);
  for (const name of [APP_DOCKER, APP_ARM]) await buildah(store, ['manifest', 'add', LIST, name]);
}

async function build(
  store: StoreRoot,
  { name, format, config }: { name: string; format: string; config: string[] },
): Promise<void> {
  const { stdout } = await buildah(store, ['from', '--pull-never', 'localhost/base:1']);
  const container = stdout.trim();
  const own = join(store.path, 'own');
  writeFileSync(own, `of ${name}\n`);
  await buildah(store, ['copy', '--quiet', container, own, '/opt/own']);
  await buildah(store, ['config', ...config, container]);
  await buildah(store, ['commit', '--quiet', '--format', format, '--rm', container, name]);
}

async function saveWithSkopeo(store: StoreRoot, root: string): Promise<void> {
  const copy = (from: string, to: string, ...options: string[]) =>
    skopeo(store, ['copy', '--quiet', ...options, from, to]);
  const app = storeReference(store, APP);
  const docker = storeReference(store, APP_DOCKER);
  for (const compression of COMPRESSIONS) {
    const format = compression === 'chunked' ? 'zstd:chunked' : compression;
    const options =
      compression === 'none'
        ? ['--dest-oci-accept-uncompressed-layers']
        : ['--dest-compress', '--dest-compress-format', format];
    await copy(app, `oci:${root}/oci/${compression}:${APP}`, ...options);
    await copy(app, `oci-archive:${root}/oci-archive/${compression}.tar:${APP}`, ...options);
    await copy(app, `dir:${root}/dir/${compression}`, ...options);
  }
  await copy(docker, `dir:${root}/dir/v2s2`, '--dest-compress');
  await copy(docker, `dir:${root}/dir/v2s1`, '--format', 'v2s1');
  await copy(docker, `docker-archive:${root}/docker-archive/skopeo.tar:${APP_DOCKER}`);
}

async function saveWithPodman(store: StoreRoot, root: string): Promise<void> {
  const save = (path: string, options: string[], ...images: string[]) =>
    podman(store, ['save', '--quiet', ...options, '--output', join(root, path), ...images]);
  await save('docker-archive/podman.tar', [], APP_DOCKER);
  await save('docker-archive/multi.tar', ['--multi-image-archive'], APP, APP_DOCKER);
  await save('oci-archive/podman.tar', ['--format', 'oci-archive'], APP);
  await save('dir/podman', ['--format', 'docker-dir', '--compress'], APP_DOCKER);
}

async function saveWithBuildah(store: StoreRoot, root: string): Promise<void> {
  const push = (image: string, to: string) => buildah(store, ['push', '--quiet', image, to]);
  await push(APP_DOCKER, `docker-archive:${root}/docker-archive/buildah.tar:${APP_DOCKER}`);
  await push(APP, `oci-archive:${root}/oci-archive/buildah.tar:${APP}`);
  await push(APP, `oci:${root}/oci/buildah:${APP}`);
  const pushAll = (to: string, format: string) =>
    buildah(store, ['manifest', 'push', '--quiet', '--all', '--format', format, LIST, to]);
  await pushAll(`oci:${root}/oci/index:${LIST}`, 'oci');
  await pushAll(`oci-archive:${root}/oci-archive/index.tar:${LIST}`, 'oci');
  await pushAll(`dir:${root}/dir/list`, 'v2s2');
}
