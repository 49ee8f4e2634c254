import { loadavg } from 'node:os';
import { remainingMs } from './deadline.js';
import { compareEvidence } from './evidence/compareEvidence.js';
import { clearBlobInfoCache } from './isolation.js';
import { summarizeLoad } from './machineLoad.js';
import { measure } from './measure.js';
import { CannotMeasure, ProofFailure } from './scenes/scene.js';

/**
 * @typedef {import('./scenes/scene.js').Scene} Scene
 * @typedef {import('./scenes/scene.js').Bench} Bench
 * @typedef {import('./scenes/scene.js').Stage} Stage
 * @typedef {import('./scenes/scene.js').Side} Side
 * @typedef {import('./statistics.js').Pair} Pair
 * @typedef {import('./statistics.js').Sample} Sample
 */

/** Of short scenes, with `--quick`: the first run of a program is an outlier. */
const QUICK_SHORT_PAIRS = 5;

/**
 * @typedef {object} RunOptions
 * @property {number} rounds
 * @property {boolean} quick fewer pairs of short runs than otherwise
 */

/**
 * Measures a scene, ours and the peer in turn, and makes sure that both did the same.
 *
 * @param {Scene} scene
 * @param {Bench} bench
 * @param {RunOptions} options
 * @returns {Promise<import('./report.js').SceneResult>}
 * @throws {CannotMeasure} when the peer or something else that is not ours fails
 * @throws {Error} when ours fails
 */
export async function runScene(scene, bench, { rounds, quick }) {
  const started = performance.now();
  // some of what prepares a scene heeds no time
  remainingMs();
  const stage = await scene.prepare(bench);
  try {
    /** @type {Pair[]} */
    const pairs = [];
    /** @type {Record<Side, string[]>} */
    const evidence = { ours: [], peer: [] };
    /** @type {import('./machineLoad.js').Meanwhile[]} */
    const meanwhile = [];
    const count = countPairs(scene, { rounds, quick });
    while (pairs.length < count) {
      const first = pairs.length === 0;
      if (scene.pairsAtLeast === undefined) bench.note(`${scene.name}: pair ${pairs.length + 1} of ${count}`);
      const context = { bench, stage, meanwhile, evidence: first ? evidence : undefined };
      const ours = await runSide('ours', scene, context);
      const peer = await runSide('peer', scene, context);
      pairs.push({ ours, peer });
    }
    const load = summarizeLoad(meanwhile, loadavg()[0] ?? 0);
    const { name, summary, ours, peer, targets, units } = scene;
    const judged = await judge(scene, stage, evidence);
    const counts = stage.count?.();
    const seconds = (performance.now() - started) / 1000;
    return { name, summary, ours, peer, targets, units, pairs, counts, load, seconds, ...judged };
  } finally {
    stage.dispose?.();
  }
}

/**
 * @param {Pick<Scene, 'pairsAtLeast'>} scene
 * @param {RunOptions} options
 * @returns {number} how many pairs of runs it gets
 */
export function countPairs({ pairsAtLeast = 1 }, { rounds, quick }) {
  return Math.max(rounds, quick ? Math.min(pairsAtLeast, QUICK_SHORT_PAIRS) : pairsAtLeast);
}

/**
 * @param {Side} side
 * @param {Scene} scene
 * @param {{ bench: Bench, stage: Stage, meanwhile: import('./machineLoad.js').Meanwhile[],
 *   evidence: Record<Side, string[]> | undefined }} options `meanwhile`: grows; `evidence`: where it goes, if it is
 *   wanted
 * @returns {Promise<Sample>}
 */
async function runSide(side, scene, { bench, stage, meanwhile, evidence }) {
  clearBlobInfoCache();
  const run = stage.run(side);
  try {
    const outcome = await measure(run.command, { directory: bench.scratch, nice: bench.nice });
    const { sample, status, stdout, stderr } = outcome;
    if (status !== 0) {
      const message = `${scene[side]}: exit status ${status}: ${stderr.trim().slice(-500)}`;
      throw side === 'ours' || scene.peerIsOurs ? new Error(message) : new CannotMeasure(message);
    }
    meanwhile.push(outcome.meanwhile);
    if (evidence !== undefined) evidence[side] = run.evidence(stdout);
    return sample;
  } finally {
    run.dispose();
  }
}

/**
 * @param {Scene} scene
 * @param {Stage} stage
 * @param {Record<Side, string[]>} evidence
 */
async function judge({ compared }, stage, { ours, peer }) {
  /** @type {string[]} */
  const proven = [];
  /** @type {string[]} */
  const failures = [];
  if (compared !== undefined) {
    const { equal, lines, hash, differences } = compareEvidence(ours, peer);
    if (equal) proven.push(`${compared} equal: ${lines} lines, sha256 ${hash}…`);
    else failures.push(`${compared} differ`, ...differences);
  }
  try {
    const fact = await stage.prove?.();
    if (fact !== undefined) proven.push(fact);
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    failures.push(error.message);
  }
  return { proven, failures };
}
