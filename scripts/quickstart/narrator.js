import { stripVTControlCharacters } from 'node:util';

const WIDTH = 88;
const paint = process.stdout.isTTY && !process.env.NO_COLOR;

/** @param {string} text */
const bold = (text) => (paint ? `\x1b[1m${text}\x1b[22m` : text);
/** @param {string} text */
const dim = (text) => (paint ? `\x1b[2m${text}\x1b[22m` : text);

/** @type {Array<[string, string]>} */
const shortForms = [];
let steps = 0;

/**
 * From now on `long` is printed as `short`; before the short forms of earlier calls, which may be parts of it.
 *
 * @param {string} long
 * @param {string} short
 */
export function abbreviate(long, short) {
  shortForms.unshift([long, short]);
}

/**
 * Ids and digests to twelve digits, long paths to their names.
 *
 * @param {string} text
 */
export function brief(text) {
  let result = text;
  for (const [long, short] of shortForms) result = result.replaceAll(long, short);
  // file names that are base64 of a digest, then the digests and ids themselves
  return result
    .replace(/=([A-Za-z0-9+/]{12})[A-Za-z0-9+/]{40,}=*/g, '=$1…')
    .replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');
}

/** @param {string} title */
export function step(title) {
  steps += 1;
  const head = `── ${steps}. ${title} `;
  process.stdout.write(`\n${bold(head + '─'.repeat(Math.max(0, WIDTH - head.length)))}\n`);
}

/**
 * Explains something, in lines of a readable length.
 *
 * @param {string} text
 */
export function say(text) {
  for (const line of wrap(brief(text), WIDTH)) process.stdout.write(`${line}\n`);
}

/**
 * A command as one would type it.
 *
 * @param {string} commandLine
 */
export function typed(commandLine) {
  process.stdout.write(`\n${bold(`$ ${brief(commandLine)}`)}\n`);
}

/**
 * What a command printed.
 *
 * @param {string} text
 */
export function output(text) {
  for (const line of alignTable(brief(stripVTControlCharacters(text)).trimEnd().split('\n'))) {
    process.stdout.write(`  ${dim(line)}\n`);
  }
}

/**
 * Shortened paths leave the table of settings ragged: it is laid out once more.
 *
 * @param {string[]} lines
 */
function alignTable(lines) {
  const start = lines.findIndex((line) => /^SETTING {2}/.test(line));
  if (start === -1) return lines;
  const rows = lines.slice(start).map((line) => line.split(/ {2,}/));
  const widths = rows.reduce(
    (all, row) => row.map((cell, i) => Math.max(cell.length, all[i] ?? 0)),
    /** @type {number[]} */ ([]),
  );
  const aligned = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines.slice(0, start), ...aligned];
}

/**
 * @param {string} text
 * @param {number} width
 */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines[lines.length - 1];
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
