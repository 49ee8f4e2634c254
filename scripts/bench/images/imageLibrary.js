import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { packDebootstrap, packHostBase } from './baseLayer.js';
import { digestFile } from './digestFile.js';
import { hex } from './imageDocuments.js';
import { makeLayout, packDockerArchive, packLayout } from './imageForms.js';
import { RECIPE_VERSION, RECIPES } from './imageRecipes.js';

/**
 * @typedef {import('./imageDocuments.js').Layer} Layer
 * @typedef {import('./imageDocuments.js').Compression} Compression
 * @typedef {import('./imageRecipes.js').ImageKey} ImageKey
 * @typedef {import('./baseLayer.js').BaseOrigin} BaseOrigin
 * @typedef {'oci-gzip' | 'oci-zstd' | 'oci-none' | 'docker-none'} Form
 */

/** @type {Record<BaseOrigin, string>} */
const BASE_TITLES = {
  debootstrap: 'debootstrap minbase',
  host: "this machine's own files below /usr",
  quick: "this machine's own files below /usr; layers are compressed at level 1",
};

/** The images of all scenes, each made when it is first asked for, in a directory that may outlive the run. */
export class ImageLibrary {
  #directory;
  #scratch;
  #note;
  /** @type {BaseOrigin} */
  #origin;

  /**
   * @param {{ directory: string, scratch: string, quick: boolean, note: (line: string) => void }} options
   *   `quick`: use images with a base system by debootstrap if they are there, but do not make them: that takes minutes
   */
  constructor({ directory, scratch, quick, note }) {
    this.#directory = directory;
    this.#scratch = scratch;
    this.#note = note;
    this.#origin =
      quick && !existsSync(join(directory, setName('debootstrap'), 'base.tar')) ? 'quick' : 'debootstrap';
  }

  /** Name that an image has in its archives. @param {ImageKey} key */
  name(key) {
    return `localhost/bench/${key}:1`;
  }

  /** What the base system is made of, for the report; undefined when no image was asked for. */
  get baseOrigin() {
    if (!existsSync(join(this.#set(), 'base.tar'))) return undefined;
    return BASE_TITLES[this.#origin];
  }

  /**
   * @param {ImageKey} key
   * @param {Form} form
   * @returns {string} path of the archive
   */
  archive(key, form) {
    return this.#made(`${key}/${form}.tar`, (path) => {
      if (form === 'docker-none') {
        const scratch = mkdtempSync(join(this.#scratch, 'documents-'));
        packDockerArchive(path, this.#parts(key), scratch);
      } else {
        packLayout(
          path,
          this.layout(key, form === 'oci-gzip' ? 'gzip' : form === 'oci-zstd' ? 'zstd' : 'none'),
        );
      }
    });
  }

  /**
   * @param {ImageKey} key
   * @param {Compression} compression
   * @returns {string} path of an OCI layout
   */
  layout(key, compression) {
    return this.#made(`${key}/layout-${compression}`, (path) =>
      makeLayout(path, this.#parts(key), { compression, level: this.#origin === 'quick' ? 1 : 6 }),
    );
  }

  /**
   * @param {ImageKey} key
   * @param {'gzip' | 'none'} compression
   * @returns {string[]} paths of the layers, from the lowest up
   */
  layerFiles(key, compression) {
    const blobs = join(this.layout(key, compression), 'blobs/sha256');
    const read = (/** @type {string} */ digest) => JSON.parse(readFileSync(join(blobs, hex(digest)), 'utf8'));
    const index = JSON.parse(readFileSync(join(this.layout(key, compression), 'index.json'), 'utf8'));
    return read(index.manifests[0].digest).layers.map((/** @type {{ digest: string }} */ { digest }) =>
      join(blobs, hex(digest)),
    );
  }

  /**
   * @param {ImageKey} key
   * @returns {Layer[]} from the lowest up
   */
  layers(key) {
    const base = this.#base();
    const directory = this.#made(`${key}/layers`, (path) => {
      mkdirSync(path);
      const layers = RECIPES[key](path, base).map((tar) => takeLayer(tar, path));
      writeFileSync(join(path, 'layers.json'), JSON.stringify(layers));
    });
    return JSON.parse(readFileSync(join(directory, 'layers.json'), 'utf8'));
  }

  /** @param {ImageKey} key */
  #parts(key) {
    const layers = this.layers(key);
    return { name: this.name(key), layers, layersDirectory: join(this.#set(), key, 'layers') };
  }

  /** @returns {string} path of the tar of the base system */
  #base() {
    try {
      return this.#made('base.tar', (path) => {
        if (this.#origin === 'debootstrap') packDebootstrap(path, this.#scratch);
        else packHostBase(path);
      });
    } catch (error) {
      if (this.#origin !== 'debootstrap') throw error;
      this.#note(
        `debootstrap failed, the base is made of this machine's own files: ${/** @type {Error} */ (error).message}`,
      );
      this.#origin = 'host';
      return this.#base();
    }
  }

  #set() {
    return join(this.#directory, setName(this.#origin));
  }

  /**
   * Makes a file or directory under another name first, so that one that is there is whole.
   *
   * @param {string} name
   * @param {(path: string) => void} make
   * @returns {string} its path
   */
  #made(name, make) {
    const path = join(this.#set(), name);
    if (existsSync(path)) return path;
    mkdirSync(join(path, '..'), { recursive: true });
    const temporary = join(path, '..', `${basename(path)}.making`);
    rmSync(temporary, { recursive: true, force: true });
    const started = performance.now();
    this.#note(`making ${name} …`);
    make(temporary);
    renameSync(temporary, path);
    this.#note(`made ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return path;
  }
}

/** @param {BaseOrigin} origin */
function setName(origin) {
  return `bench-images-${RECIPE_VERSION}-${origin}`;
}

/**
 * Gives a tar the name of its digest, in the directory of the layers; the base system's stays where it is, too.
 *
 * @param {string} tar
 * @param {string} directory
 * @returns {Layer}
 */
function takeLayer(tar, directory) {
  const diffID = digestFile(tar);
  const path = join(directory, `${hex(diffID)}.tar`);
  if (tar.startsWith(`${directory}/`)) renameSync(tar, path);
  else linkSync(tar, path);
  return { diffID, size: statSync(path).size };
}
