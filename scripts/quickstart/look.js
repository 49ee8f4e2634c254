import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { brief, output, typed } from './narrator.js';
import { promise } from './promise.js';

const WIDTH = 84;

/**
 * Lists a directory of the store as `ls -F` does, with a word about entries.
 *
 * @param {string} root the graph root
 * @param {string} directory below it
 * @param {Record<string, string>} [notes] by name; each of these entries must be there
 */
export function list(root, directory, notes = {}) {
  typed(`ls -F ${directory}`);
  const names = readdirSync(join(root, directory)).sort();
  for (const name of Object.keys(notes)) promise(names.includes(name), `${directory} has an entry ${name}`);
  const lines = names.map((name) => ({
    text: brief(describe(join(root, directory, name), name)),
    note: notes[name],
  }));
  const width = Math.max(...lines.filter(({ note }) => note).map(({ text }) => text.length), 0);
  output(lines.map(({ text, note }) => (note ? `${text.padEnd(width)}   ${note}` : text)).join('\n'));
}

/**
 * @param {string} path
 * @param {string} name
 */
function describe(path, name) {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
  if (stat.isCharacterDevice()) return `${name} (character device ${stat.rdev >> 8}:${stat.rdev & 0xff})`;
  return stat.isDirectory() ? `${name}/` : name;
}

/**
 * Shows a text file of the store.
 *
 * @param {string} root
 * @param {string} file
 */
export function cat(root, file) {
  typed(`cat ${file}`);
  const content = readFileSync(join(root, file), 'utf8');
  output(content);
  return content;
}

/**
 * Reads a JSON file of the store.
 *
 * @param {string} root
 * @param {string} file
 */
export function json(root, file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

/**
 * Shows a part of a JSON file as jq would.
 *
 * @param {string} file
 * @param {string} filter what one would tell jq
 * @param {unknown} value what jq would print
 */
export function jq(file, filter, value) {
  typed(`jq '${filter}' ${file}`);
  output(layOut(value, ''));
}

/**
 * Only these keys of an object.
 *
 * @param {Record<string, unknown>} object
 * @param {string[]} keys
 */
export function pick(object, keys) {
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]));
}

/**
 * JSON with short arrays and objects on one line.
 *
 * @param {unknown} value
 * @param {string} indent
 * @returns {string}
 */
function layOut(value, indent) {
  const flat = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + brief(flat).length <= WIDTH) return flat;
  const inner = `${indent}  `;
  const isArray = Array.isArray(value);
  const items = isArray
    ? value.map((each) => layOut(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${layOut(each, inner)}`);
  const [open, close] = isArray ? '[]' : '{}';
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}
