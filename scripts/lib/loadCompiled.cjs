'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** The build ends each script with its digest, which is so long. The forms that V8 compiled of it begin with the same. */
const MARK_LENGTH = 64;

/**
 * Reads a CommonJS file and its compiled form, if the build left one: compiling takes a third of the time of a short
 * command. V8 itself sees whether the form comes from the same version, and compiles where it does not; of the source it
 * compares the length only, so that a form which was left there from another build would be run.
 *
 * @param {string} path absolute
 * @param {string} [cache] the compiled form: there may be several, of what different commands need
 */
function readCompiled(path, cache = `${path}.cache`) {
  const text = readFileSync(path, 'utf8');
  const mark = text.slice(-MARK_LENGTH);
  const form = existsSync(cache) ? readFileSync(cache) : undefined;
  const isOfThis = form?.toString('latin1', 0, MARK_LENGTH) === mark;
  // as node itself wraps a module; in the first line, so that lines keep their numbers
  const source = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
  const script = new Script(source, {
    filename: path,
    ...(isOfThis ? { cachedData: form?.subarray(MARK_LENGTH) } : {}),
  });
  return { script, mark };
}

/**
 * Runs a file that was read, as often as it is called.
 *
 * @param {Script} script
 * @param {string} path absolute
 */
function runCompiled(script, path) {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path));
}

/**
 * Runs a CommonJS file from its compiled form, if there is one.
 *
 * @param {string} path absolute
 * @param {string} [cache] the compiled form
 */
function loadCompiled(path, cache) {
  runCompiled(readCompiled(path, cache).script, path);
}

exports.loadCompiled = loadCompiled;
exports.readCompiled = readCompiled;
exports.runCompiled = runCompiled;
