import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { writeTar } from '../lib/tarFile.js';
import { parentDirectories, programEntries } from './machineFiles.js';

/** @typedef {import('../lib/tarFile.js').Entry} Entry */

/**
 * @typedef {object} Layer
 * @property {string} title what it holds, for the image's history
 * @property {string} path of the plain tar
 * @property {string} diffID digest of the plain tar
 */

export const GREETING = 'hello from a container made of this machine';
const MEDIA_TYPE = 'application/vnd.oci.image';
const ARCHITECTURES = /** @type {Record<string, string>} */ ({ x64: 'amd64', ia32: '386' });

/**
 * Makes the layers' tars: a shell with a few files; node; a program of ours, which also deletes a file of
 * the first layer; and another program for the second image.
 *
 * @param {string} directory for the tars
 */
export async function makeLayers(directory) {
  mkdirSync(directory);
  const shell = [...programEntries('/bin/sh', 'bin/sh'), ...baseFiles()];
  const known = new Set(shell.map(({ name }) => name));
  const node = programEntries(process.execPath, 'usr/local/bin/node').filter(({ name }) => !known.has(name));
  const entries = {
    shell,
    // one file with two names
    node: [...node, link('usr/local/bin/nodejs', 'usr/local/bin/node')],
    // the file of a layer below is deleted by a file with a name of this form
    app: [text('app/hello.js', `console.log('${GREETING}');\n`), text('etc/.wh.motd', '')],
    tool: [text('app/tool.js', 'console.log(process.argv.length);\n')],
  };
  return {
    shell: await makeLayer(directory, 'a shell, its libraries, /etc and /tmp', entries.shell),
    node: await makeLayer(directory, 'node and its libraries, with a second name for node', entries.node),
    app: await makeLayer(directory, '/app/hello.js; /etc/motd deleted', entries.app),
    tool: await makeLayer(directory, '/app/tool.js', entries.tool),
  };
}

/** @returns {Entry[]} */
function baseFiles() {
  return [
    { type: 'directory', name: 'tmp', mode: 0o1777 },
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    text('etc/group', 'root:x:0:\n'),
    text('etc/motd', 'this greeting is deleted by a later layer\n'),
  ];
}

/**
 * @param {string} name
 * @param {string} content
 * @returns {Entry}
 */
function text(name, content) {
  return { type: 'file', name, bytes: Buffer.from(content) };
}

/**
 * @param {string} name
 * @param {string} target
 * @returns {Entry}
 */
function link(name, target) {
  return { type: 'hardLink', name, target, mode: 0o755 };
}

/**
 * @param {string} directory
 * @param {string} title
 * @param {Entry[]} entries
 * @returns {Promise<Layer>}
 */
async function makeLayer(directory, title, entries) {
  const path = join(directory, `${createHash('sha256').update(title).digest('hex').slice(0, 12)}.tar`);
  writeTar(path, [...parentDirectories(entries), ...entries]);
  return { title, path, diffID: await digestOf(path) };
}

/**
 * An OCI archive: a tar of an image layout, in which each file is named after its digest. The layers are
 * compressed.
 *
 * @param {string} path
 * @param {Layer[]} layers
 * @param {string} name
 */
export async function makeOciArchive(path, layers, name) {
  const blobs = `${path}.blobs`;
  mkdirSync(blobs);
  /** @type {Entry[]} */
  const entries = [text('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }))];
  /** @param {string} mediaType @param {object} value */
  const addJson = (mediaType, value) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = sha256(bytes);
    entries.push({ type: 'file', name: blobName(digest), bytes });
    return { mediaType: `${MEDIA_TYPE}.${mediaType}`, digest, size: bytes.length };
  };
  const config = addJson('config.v1+json', imageConfig(layers));
  const descriptors = [];
  for (const { path: tar, diffID } of layers) {
    const file = join(blobs, diffID.slice(7));
    await pipeline(createReadStream(tar), createGzip({ level: 1 }), createWriteStream(file));
    const blob = { digest: await digestOf(file), size: statSync(file).size };
    entries.push({ type: 'file', name: blobName(blob.digest), source: { path: file, size: blob.size } });
    descriptors.push({ mediaType: `${MEDIA_TYPE}.layer.v1.tar+gzip`, ...blob });
  }
  const manifest = addJson('manifest.v1+json', {
    schemaVersion: 2,
    mediaType: `${MEDIA_TYPE}.manifest.v1+json`,
    config,
    layers: descriptors,
  });
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } };
  entries.push(text('index.json', JSON.stringify({ schemaVersion: 2, manifests: [named] })));
  writeTar(path, [...parentDirectories(entries), ...entries]);
  rmSync(blobs, { recursive: true });
}

/**
 * The archive of `docker save`: a list of images, their configs, and layers that are not compressed.
 *
 * @param {string} path
 * @param {Layer[]} layers
 * @param {string} name
 */
export function makeDockerArchive(path, layers, name) {
  const config = Buffer.from(JSON.stringify(imageConfig(layers)));
  const Config = `${sha256(config).slice(7)}.json`;
  const tars = layers.map((layer) => ({ layer, name: `${layer.diffID.slice(7)}.tar` }));
  const manifest = [{ Config, RepoTags: [name], Layers: tars.map((tar) => tar.name) }];
  writeTar(path, [
    text('manifest.json', JSON.stringify(manifest)),
    { type: 'file', name: Config, bytes: config },
    ...tars.map(({ layer, name: tarName }) => fileOf(layer.path, tarName)),
  ]);
}

/**
 * @param {string} path
 * @param {string} name
 * @returns {Entry}
 */
function fileOf(path, name) {
  return { type: 'file', name, source: { path, size: statSync(path).size } };
}

/** @param {Layer[]} layers */
function imageConfig(layers) {
  const created = new Date().toISOString();
  return {
    created,
    os: 'linux',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    config: { Cmd: ['/usr/local/bin/node', '/app/hello.js'], Env: ['PATH=/usr/local/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map(({ title }) => ({ created, created_by: title })),
  };
}

/** @param {string} digest */
function blobName(digest) {
  return `blobs/${digest.replace(':', '/')}`;
}

/** @param {Buffer} bytes */
export function sha256(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @param {string} path */
async function digestOf(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
