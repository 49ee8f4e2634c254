// The benchmark itself, inside of the namespaces that scripts/bench.js makes for it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBenchArguments } from './benchArguments.js';
import { DeadlineOver, setDeadline } from './deadline.js';
import { missingPrograms } from './helperProgram.js';
import { ImageLibrary } from './images/imageLibrary.js';
import { hideHostContainers, SCRATCH_VARIABLE, STARTED_VARIABLE } from './isolation.js';
import { describeMachine, peerVersions } from './machine.js';
import { TIME_METHOD } from './measure.js';
import { MEMORY_METHOD } from './memoryWatch.js';
import { sceneReport, summary } from './report.js';
import { runScene } from './runScene.js';
import { ALL_SCENES } from './scenes/allScenes.js';
import { CannotMeasure } from './scenes/scene.js';
import { ratiosOf } from './statistics.js';

/** `--quick` has three minutes, of which some seconds are left for cleaning up. */
const QUICK_MS = 165_000;

/**
 * @typedef {import('./report.js').SceneResult} SceneResult
 * @typedef {import('./report.js').NotMeasured} NotMeasured
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
  hideHostContainers();
  if (options.quick) setDeadline(Number(process.env[STARTED_VARIABLE]) + QUICK_MS);
  /** @param {string} line */
  const note = (line) => process.stderr.write(`bench: ${line}\n`);
  const directory = options.images ?? join(scratch, 'images');
  const images = new ImageLibrary({ directory, scratch, quick: options.quick, note });
  const machine = { ...describeMachine(), ...(options.nice === undefined ? {} : { nice: options.nice }) };
  const versions = peerVersions();
  for (const [key, value] of [...Object.entries(machine), ...Object.entries(versions)])
    say(`${key}: ${value}`);
  say(`${TIME_METHOD}\nmemory: ${MEMORY_METHOD}`);
  const { results, notMeasured, failed } = await runAll(options, {
    scratch,
    images,
    note,
    nice: options.nice,
  });
  say('');
  for (const line of summary(results, notMeasured)) say(line);
  for (const { name, reason } of failed) say(`bench: FAILED: ${name}: ${reason}`);
  if (images.baseOrigin !== undefined) say(`the base system is made of: ${images.baseOrigin}`);
  if (options.json !== undefined) {
    const scenes = results.map((result) => ({ ...result, ratios: ratiosOf(result.pairs) }));
    const methods = { time: TIME_METHOD, memory: MEMORY_METHOD };
    const base = images.baseOrigin;
    const report = {
      date: new Date().toISOString(),
      machine,
      versions,
      methods,
      base,
      scenes,
      notMeasured,
      failed,
    };
    writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return failed.length > 0 || results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/**
 * @param {BenchOptions} options
 * @param {Bench} bench
 */
async function runAll(options, bench) {
  /** @type {SceneResult[]} */
  const results = [];
  /** @type {NotMeasured[]} */
  const notMeasured = [];
  /** @type {NotMeasured[]} */
  const failed = [];
  for (const scene of chosenScenes(options)) {
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
  }
  return { results, notMeasured, failed };
}

/**
 * @param {BenchOptions} options
 * @returns {Scene[]}
 */
function chosenScenes({ scenes, quick }) {
  return ALL_SCENES.filter(({ name, quick: inQuick }) =>
    scenes.length > 0 ? scenes.includes(name) : !quick || inQuick,
  );
}
