import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} BenchOptions
 * @property {boolean} quick few scenes and pairs, within three minutes
 * @property {boolean} targets only scenes that have a target of their own
 * @property {string | undefined} markdown file with results, whose tables are to be printed, absolute
 * @property {number} rounds pairs of runs per scene
 * @property {readonly string[]} scenes names of the scenes to run; none means all
 * @property {string | undefined} json file for the results, absolute
 * @property {string} directory where the scratch directory is made, absolute
 * @property {string | undefined} images where images are kept for later runs, absolute
 * @property {number | undefined} nice priority of what is measured, -20 to 19; as it is when undefined
 * @property {boolean} build whether the commands are built first
 * @property {boolean} list only print the scenes
 * @property {boolean} help only print the usage
 */

export const USAGE = `usage: npm run bench -- [options]

  --quick           few scenes, two pairs each, within three minutes
  --targets         only scenes that have a target of their own, three pairs each
  --rounds N        pairs of runs per scene (default: 5; with --targets: 3; with --quick: 2)
  --scene NAME      only this scene (repeatable)
  --json FILE       write all samples and ratios there
  --markdown FILE   measure nothing; print the results of such a file as tables
  --directory DIR   where the scratch directory with stores and loop files is made (default: ${tmpdir()})
  --images DIR      keep the images there, and use those that are there
  --nice N          run what is measured at this priority, -20 to 19 (-20 where other work runs meanwhile)
  --no-build        measure the commands as they were built before
  --list            print the scenes with their targets
  --help            print this
`;

/**
 * @param {readonly string[]} argv
 * @param {readonly string[]} sceneNames those that there are
 * @returns {BenchOptions}
 * @throws {TypeError | RangeError} saying which argument is wrong
 */
export function parseBenchArguments(argv, sceneNames) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      targets: { type: 'boolean', default: false },
      markdown: { type: 'string' },
      rounds: { type: 'string' },
      scene: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      directory: { type: 'string', default: tmpdir() },
      images: { type: 'string' },
      nice: { type: 'string' },
      'no-build': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = values.scene.filter((name) => !sceneNames.includes(name));
  if (unknown.length > 0) throw new RangeError(`no scene is called ${unknown.join(' or ')}; see --list`);
  return {
    quick: values.quick,
    targets: values.targets,
    markdown: absolute(values.markdown),
    rounds: parseRounds(values.rounds ?? (values.quick ? '2' : values.targets ? '3' : '5')),
    scenes: [...new Set(values.scene)],
    json: absolute(values.json),
    directory: resolve(values.directory),
    images: absolute(values.images),
    nice: parseNice(values.nice),
    build: !values['no-build'],
    list: values.list,
    help: values.help,
  };
}

/** @param {string} text */
function parseRounds(text) {
  if (!/^[1-9][0-9]{0,2}$/.test(text)) throw new RangeError(`--rounds ${text}: not a number from 1 to 999`);
  return Number(text);
}

/** @param {string | undefined} text */
function parseNice(text) {
  if (text === undefined) return undefined;
  const nice = /^-?[0-9]{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(nice >= -20 && nice <= 19)) throw new RangeError(`--nice ${text}: not a number from -20 to 19`);
  return nice;
}

/** @param {string | undefined} path */
function absolute(path) {
  return path === undefined ? undefined : resolve(path);
}
