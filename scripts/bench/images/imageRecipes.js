import { statSync } from 'node:fs';
import { join } from 'node:path';
import { divideFiles, packHostFiles, selectHostFiles, withParents } from './hostFiles.js';
import { packDeletions, packFiller, packSmallFiles, packSpecialFiles, packTinyLayer } from './madeLayers.js';

/** @typedef {'base' | 'app' | 'few-layers' | 'many-layers' | 'many-files'} ImageKey */

/** Raise it when an image comes out otherwise, so that kept ones are made anew. */
export const RECIPE_VERSION = 3;

const HOST_LAYERS = 6;
const APP_BYTES_AT_LEAST = 400e6;
const FEW_LAYERS = 3;
const MANY_LAYERS = 60;
const MANY_FILES = 100_000;

/** @type {Record<ImageKey, string>} */
export const IMAGE_TITLES = {
  base: 'the base system',
  app: 'the application image',
  'few-layers': `${FEW_LAYERS} tiny layers`,
  'many-layers': `${MANY_LAYERS} tiny layers`,
  'many-files': `one layer of ${MANY_FILES.toLocaleString('en')} small files`,
};

/**
 * A recipe writes the layers' tars into a directory.
 *
 * @typedef {(directory: string, base: () => string) => string[]} Recipe `base`: gives the tar of the base system,
 *   which may have to be made; the recipe gives the tars, the lowest first
 */

/** @type {Record<ImageKey, Recipe>} */
export const RECIPES = {
  base: (_, base) => [base()],
  app: packApplication,
  'few-layers': (directory) => packTinyLayers(directory, FEW_LAYERS),
  'many-layers': (directory) => packTinyLayers(directory, MANY_LAYERS),
  'many-files': (directory) => {
    const tar = join(directory, 'files.tar');
    packSmallFiles(tar, MANY_FILES);
    return [tar];
  },
};

/**
 * @param {string} directory
 * @param {number} count
 */
function packTinyLayers(directory, count) {
  return Array.from({ length: count }, (_, n) => {
    const tar = join(directory, `${n}.tar`);
    packTinyLayer(tar, n);
    return tar;
  });
}

/**
 * The base system, six layers of this machine's own files, what is missing to the size, special files, and some
 * deletions.
 *
 * @type {Recipe}
 */
function packApplication(directory, base) {
  const files = selectHostFiles({ bytesPerRoot: 100e6, entriesPerRoot: 5000 });
  const parts = divideFiles(files, HOST_LAYERS).filter((part) => part.length > 0);
  const hostTars = parts.map((part, n) => {
    const tar = join(directory, `host-${n}.tar`);
    packHostFiles(tar, part);
    return tar;
  });
  const tars = [base(), ...hostTars];
  const missing = APP_BYTES_AT_LEAST - tars.reduce((sum, tar) => sum + statSync(tar).size, 0);
  if (missing > 0) {
    tars.push(join(directory, 'filler.tar'));
    packFiller(join(directory, 'filler.tar'), missing);
  }
  tars.push(join(directory, 'special.tar'), join(directory, 'deletions.tar'));
  packSpecialFiles(join(directory, 'special.tar'));
  packDeletions(join(directory, 'deletions.tar'), chooseDeletions(files));
  return tars;
}

/**
 * @param {readonly import('./hostFiles.js').HostFile[]} files
 * @returns {Parameters<typeof packDeletions>[1]}
 */
function chooseDeletions(files) {
  const short = files.filter(({ path }) => path.length < 60);
  const file = short.find(({ path, isDirectory }) => !isDirectory && path.split('/').length === 3)?.path;
  const directory = short.findLast(
    ({ path, isDirectory }) => isDirectory && path.split('/').length > 2,
  )?.path;
  if (file === undefined || directory === undefined) throw new Error('/usr has no files for an image');
  const parents = withParents([file, directory]).filter((path) => path !== file && path !== directory);
  return { file, directory, parents };
}
