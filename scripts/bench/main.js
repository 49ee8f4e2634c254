// The benchmark itself, inside of the namespaces that scripts/bench.js makes for it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBenchArguments } from './benchArguments.js';
import { DeadlineOver, setDeadline } from './deadline.js';
import { expectedTime } from './expectedTime.js';
import { missingPrograms } from './helperProgram.js';
import { ImageLibrary } from './images/imageLibrary.js';
import { hideHostContainers, SCRATCH_VARIABLE, STARTED_VARIABLE } from './isolation.js';
import { exitStatus, jsonReport } from './jsonReport.js';
import { describeMachine, mediumOf, peerVersions } from './machine.js';
import { TIME_METHOD } from './measure.js';
import { MEMORY_METHOD } from './memoryWatch.js';
import { sceneReport, summary } from './report.js';
import { runScene } from './runScene.js';
import { ALL_SCENES, chooseScenes } from './scenes/allScenes.js';
import { CannotMeasure } from './scenes/scene.js';

/** `--quick` has three minutes, of which some seconds are left for cleaning up. */
const QUICK_MS = 165_000;

/**
 * @typedef {import('./report.js').SceneResult} SceneResult
 * @typedef {import('./report.js').NotMeasured} NotMeasured
 * @typedef {import('./jsonReport.js').Outcome} Outcome
 * @typedef {import('./scenes/scene.js').Scene} Scene
 * @typedef {import('./scenes/scene.js').Bench} Bench
 * @typedef {import('./benchArguments.js').BenchOptions} BenchOptions
 */

const names = ALL_SCENES.map(({ name }) => name);
process.exitCode = await main(parseBenchArguments(process.argv.slice(2), names));

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * @param {BenchOptions} options
 * @returns {Promise<number>} exit status
 */
async function main(options) {
  const scratch = process.env[SCRATCH_VARIABLE];
  if (scratch === undefined) throw new Error('start it by: npm run bench');
  const started = Number(process.env[STARTED_VARIABLE]);
  hideHostContainers();
  if (options.quick) setDeadline(started + QUICK_MS);
  /** @param {string} line */
  const note = (line) => process.stderr.write(`bench: ${line}\n`);
  const directory = options.images ?? join(scratch, 'images');
  const images = new ImageLibrary({ directory, scratch, quick: options.quick, note });
  const facts = describeRun(options, scratch);
  const scenes = chooseScenes(options);
  note(expectedTime(scenes, { ...options, areImagesKept: images.areKept }));
  /** @param {Outcome} outcome so far: what ends the run in between loses nothing */
  const save = (outcome) => {
    if (options.json === undefined) return;
    const seconds = Math.round((Date.now() - started) / 1000);
    const circumstances = { date: new Date().toISOString(), seconds, base: images.baseOrigin, ...facts };
    writeFileSync(options.json, `${JSON.stringify(jsonReport(circumstances, outcome), undefined, 2)}\n`);
  };
  const outcome = await runAll(scenes, { scratch, images, note, nice: options.nice }, { ...options, save });
  say('');
  for (const line of summary(outcome.results, outcome.notMeasured)) say(line);
  for (const { name, reason } of outcome.failed) say(`bench: FAILED: ${name}: ${reason}`);
  if (images.baseOrigin !== undefined) say(`the base system is made of: ${images.baseOrigin}`);
  save(outcome);
  return exitStatus(outcome);
}

/**
 * Says what is measured with, where and how.
 *
 * @param {BenchOptions} options
 * @param {string} scratch
 */
function describeRun({ nice, rounds, quick, targets, scenes }, scratch) {
  const machine = { ...describeMachine(), ...(nice === undefined ? {} : { nice }) };
  const versions = peerVersions();
  const medium = mediumOf(scratch);
  for (const [key, value] of Object.entries({ ...machine, ...versions })) say(`${key}: ${value}`);
  say(`stores: ext4 over a loop device, whose file lies on ${medium}`);
  say(`${TIME_METHOD}\nmemory: ${MEMORY_METHOD}`);
  const methods = { time: TIME_METHOD, memory: MEMORY_METHOD };
  return { machine, versions, medium, methods, options: { rounds, quick, targets, scenes } };
}

/**
 * @param {readonly Scene[]} scenes
 * @param {Bench} bench
 * @param {import('./runScene.js').RunOptions & { save: (outcome: Outcome) => void }} options `save`: called after
 *   each scene
 * @returns {Promise<Outcome>}
 */
async function runAll(scenes, bench, { save, ...options }) {
  /** @type {SceneResult[]} */
  const results = [];
  /** @type {NotMeasured[]} */
  const notMeasured = [];
  /** @type {NotMeasured[]} */
  const failed = [];
  for (const scene of scenes) {
    const reason = missingPrograms(scene.needs);
    if (reason !== undefined) {
      notMeasured.push({ name: scene.name, reason });
      continue;
    }
    try {
      const result = await runScene(scene, bench, options);
      results.push(result);
      say('');
      for (const line of sceneReport(result)) say(line);
    } catch (error) {
      const entry = { name: scene.name, reason: /** @type {Error} */ (error).message };
      (error instanceof CannotMeasure || error instanceof DeadlineOver ? notMeasured : failed).push(entry);
      bench.note(`${entry.name}: ${entry.reason}`);
    }
    save({ results, notMeasured, failed });
  }
  return { results, notMeasured, failed };
}
