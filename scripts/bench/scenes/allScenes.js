import { durabilityScenes } from './durabilityScenes.js';
import { embedScenes } from './embedScenes.js';
import { exportScenes } from './exportScenes.js';
import { floorScenes } from './floorScenes.js';
import { importScenes } from './importScenes.js';
import { listScenes } from './listScenes.js';
import { scaleScenes } from './scaleScenes.js';
import { startScenes } from './startScenes.js';
import { storeScenes } from './storeScenes.js';

const scenes = [
  ...startScenes,
  ...embedScenes,
  ...listScenes,
  ...importScenes,
  ...floorScenes,
  ...exportScenes,
  ...durabilityScenes,
  ...storeScenes,
  ...scaleScenes,
];

/** Very many files take longest to list and to compare, too: with `--quick` there may be no time left for them. */
const isSlow = (/** @type {import('./scene.js').Scene} */ { name }) => name.includes('many-files');

/** @type {readonly import('./scene.js').Scene[]} */
export const ALL_SCENES = [...scenes.filter((scene) => !isSlow(scene)), ...scenes.filter(isSlow)];

/**
 * @param {{ scenes: readonly string[], quick: boolean, targets: boolean }} options `scenes`: names; the others do not
 *   count then
 * @returns {readonly import('./scene.js').Scene[]}
 */
export function chooseScenes({ scenes, quick, targets }) {
  if (scenes.length > 0) return ALL_SCENES.filter(({ name }) => scenes.includes(name));
  return ALL_SCENES.filter((scene) => (!quick || scene.quick) && (!targets || hasOwnTarget(scene)));
}

/** Memory and processor time have the same target everywhere. @param {import('./scene.js').Scene} scene */
function hasOwnTarget({ targets }) {
  return targets.wall !== undefined || targets.counts !== undefined;
}
