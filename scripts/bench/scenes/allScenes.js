import { exportScenes } from './exportScenes.js';
import { floorScenes } from './floorScenes.js';
import { importScenes } from './importScenes.js';
import { listScenes } from './listScenes.js';
import { startScenes } from './startScenes.js';

const scenes = [...startScenes, ...listScenes, ...importScenes, ...floorScenes, ...exportScenes];

/** Very many files take longest to list and to compare, too: with `--quick` there may be no time left for them. */
const isSlow = (/** @type {import('./scene.js').Scene} */ { name }) => name.includes('many-files');

/** @type {readonly import('./scene.js').Scene[]} */
export const ALL_SCENES = [...scenes.filter((scene) => !isSlow(scene)), ...scenes.filter(isSlow)];
