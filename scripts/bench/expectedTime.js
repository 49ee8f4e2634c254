import { countPairs } from './runScene.js';

/** To make all images: debootstrap needs the network, and the rest has to be compressed. */
const IMAGES_SECONDS = 240;

/**
 * @param {readonly import('./scenes/scene.js').Scene[]} scenes
 * @param {{ rounds: number, quick: boolean, areImagesKept: boolean }} options
 * @returns {string} about how long they take, for people
 */
export function expectedTime(scenes, { rounds, quick, areImagesKept }) {
  if (quick) return `${scenes.length} scenes, as far as three minutes go`;
  const seconds = expectedSeconds(scenes, { rounds, quick });
  const images = areImagesKept ? '' : `, and up to ${Math.ceil(IMAGES_SECONDS / 60)} to make images`;
  return `${scenes.length} scenes, about ${Math.ceil(seconds / 60)} minutes on a quiet machine${images}`;
}

/**
 * @param {readonly import('./scenes/scene.js').Scene[]} scenes
 * @param {{ rounds: number, quick: boolean }} options
 * @returns {number} images not counted
 */
export function expectedSeconds(scenes, { rounds, quick }) {
  return scenes.reduce(
    (sum, scene) => sum + scene.seconds.once + scene.seconds.pair * countPairs(scene, { rounds, quick }),
    0,
  );
}
