/**
 * @typedef {import('../measure.js').Command} Command
 * @typedef {import('../verdicts.js').Targets} Targets
 * @typedef {import('../verdicts.js').Count} Count
 * @typedef {import('../statistics.js').Units} Units
 * @typedef {'ours' | 'peer'} Side
 */

/**
 * What scenes share while the benchmark runs.
 *
 * @typedef {object} Bench
 * @property {string} scratch directory for all that is temporary
 * @property {import('../images/imageLibrary.js').ImageLibrary} images
 * @property {number | undefined} nice priority of what is measured
 * @property {(line: string) => void} note tells people what happens
 */

/**
 * One run of one side.
 *
 * @typedef {object} Run
 * @property {Command} command
 * @property {(stdout: string) => string[]} evidence what it left behind, to be compared with the other side's
 * @property {() => void} dispose removes what it left
 */

/**
 * All that a scene's runs share.
 *
 * @typedef {object} Stage
 * @property {(side: Side) => Run} run makes the surroundings of a run; nothing of that is measured
 * @property {() => Promise<string>} [prove] what else has to be true, told in a few words
 * @property {() => Count[]} [count] what one more run of ours does, counted outside of the measured time
 * @property {() => void} [dispose]
 */

/**
 * Two programs that do the same.
 *
 * @typedef {object} Scene
 * @property {string} name
 * @property {string} summary
 * @property {string} ours label of our side
 * @property {string} peer label of the other one
 * @property {boolean} [peerIsOurs] whether it is ours, too: then it must not fail either
 * @property {Units} [units] what times are divided by, when the two do not the same amount of work
 * @property {string | undefined} compared what the evidence is; undefined when there is none
 * @property {readonly string[]} needs programs that have to be there
 * @property {boolean} quick whether it is part of `--quick`
 * @property {number} [pairsAtLeast] for runs that are short
 * @property {Targets} targets
 * @property {{ once: number, pair: number }} seconds about what it takes on a quiet machine with two processors, once
 *   and for each pair, images not counted
 * @property {(bench: Bench) => Promise<Stage>} prepare
 */

/** Something is not as it has to be: digests that are not verified, trees that differ. */
export class ProofFailure extends Error {
  /** @override */
  name = 'ProofFailure';
}

/** Something that the scene is about is not there. */
export class CannotMeasure extends Error {
  /** @override */
  name = 'CannotMeasure';
}
