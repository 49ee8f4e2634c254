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
import { makeLargeLayout } from './largeLayout.js';

/**
 * @typedef {import('./imageDocuments.js').Layer} Layer
 * @typedef {import('./imageDocuments.js').Compression} Compression
 * @typedef {import('./imageRecipes.js').ImageKey} ImageKey
 * @typedef {import('./baseLayer.js').BaseOrigin} BaseOrigin
 * @typedef {'oci-gzip' | 'oci-zstd' | 'oci-none' | 'docker-none'} Form
 */

/** Name of the tar of the base system. */
const BASE = 'base.tar';

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
      quick && !existsSync(join(directory, setName('debootstrap'), BASE)) ? 'quick' : 'debootstrap';
  }

  /** Name that an image has in its archives. @param {ImageKey} key */
  name(key) {
    return `localhost/bench/${key}:1`;
  }

  /** Whether images were made before, in this directory, and stay for the next time. */
  get areKept() {
    return existsSync(this.#pathOf(BASE));
  }

  /** What the base system is made of, for the report; undefined when no image was asked for. */
  get baseOrigin() {
    if (!this.areKept) return undefined;
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
   * @param {import('./largeLayout.js').LargeLayer} layer
   * @returns {string} path of an OCI layout of an image with that layer
   */
  largeLayout(layer) {
    const name = `${layer.kind}-${layer.count}`;
    return this.#made(name, (path) => makeLargeLayout(path, layer, `localhost/bench/${name}:1`));
  }

  /**
   * @param {ImageKey} key
   * @returns {Layer[]} from the lowest up
   */
  layers(key) {
    const directory = this.#made(`${key}/layers`, (path) => {
      mkdirSync(path);
      const layers = RECIPES[key](path, () => this.#base()).map((tar) => takeLayer(tar, path));
      writeFileSync(join(path, 'layers.json'), JSON.stringify(layers));
    });
    return JSON.parse(readFileSync(join(directory, 'layers.json'), 'utf8'));
  }

  /** @param {ImageKey} key */
  #parts(key) {
    const layers = this.layers(key);
    return { name: this.name(key), layers, layersDirectory: this.#pathOf(`${key}/layers`) };
  }

  /** @returns {string} path of the tar of the base system */
  #base() {
    try {
      return this.#made(BASE, (path) => {
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

  /**
   * What depends on the base system lies with it, all else in a set of its own.
   *
   * @param {string} name
   */
  #pathOf(name) {
    const set = this.#origin === 'quick' || needsBase(name) ? this.#origin : 'made';
    return join(this.#directory, setName(set), name);
  }

  /**
   * Makes a file or directory under another name first, so that one that is there is whole.
   *
   * @param {string} name
   * @param {(path: string) => void} make
   * @returns {string} its path
   */
  #made(name, make) {
    // which base there is decides where it lies
    if (needsBase(name) && name !== BASE) this.#base();
    const path = this.#pathOf(name);
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

/** @param {BaseOrigin | 'made'} set */
function setName(set) {
  return `bench-images-${RECIPE_VERSION}-${set}`;
}

/** @param {string} name of a file or directory of the library */
function needsBase(name) {
  return /^(base|app)[./]/.test(name);
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
