import { exportScenes } from './exportScenes.js';
import { floorScenes } from './floorScenes.js';
import { importScenes } from './importScenes.js';
import { listScenes } from './listScenes.js';
import { startScenes } from './startScenes.js';

/** @type {readonly import('./scene.js').Scene[]} */
export const ALL_SCENES = [...startScenes, ...listScenes, ...importScenes, ...floorScenes, ...exportScenes];
