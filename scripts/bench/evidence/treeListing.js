import { join } from 'node:path';
import { checkoutRoot } from '../../lib/checkout.js';
import { runHelper } from '../helperProgram.js';

/** Shares nothing with the code that is measured. */
const SCRIPT = join(checkoutRoot, 'test/support/treeListing.py');

/**
 * One line for each entry of a tree: type, mode, owner, time, links, target, attributes, size and digest of the content.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function listTree(root) {
  return runHelper('python3', ['-I', SCRIPT, root]).trimEnd().split('\n');
}

/**
 * The layers of our images say nothing of the top directory, so its time is that of the run.
 *
 * @param {readonly string[]} lines of a listing
 * @returns {string[]}
 */
export function withoutRootTime([root, ...lines]) {
  const { mtimeNs, ...entry } = JSON.parse(root ?? '{}');
  return [JSON.stringify(entry), ...lines];
}

/**
 * The same for a tree that overlay merged and one that was unpacked into a plain directory, whose top the program
 * made as it liked: overlay also counts those links of a file that upper layers hide.
 *
 * @param {readonly string[]} lines of a listing
 * @returns {string[]}
 */
export function asPlainDirectory([, ...lines]) {
  const entries = lines.map((line) => JSON.parse(line));
  const names = new Map();
  for (const { links } of entries) names.set(links, (names.get(links) ?? 0) + 1);
  return entries.map((entry) => {
    const { nlink, links, ...rest } = entry;
    const count = links === undefined ? nlink : names.get(links);
    return JSON.stringify({ ...rest, nlink: count, links: count === 1 ? undefined : links });
  });
}

/**
 * What a layer brings, whether it was unpacked by tar or by a driver: without the top directory, which tar leaves
 * to the file system, without the marks of deletions, which each writes in its own way, and without extended
 * attributes, which tar leaves aside unless it is told otherwise.
 *
 * @param {readonly string[]} lines of a listing
 * @returns {string[]}
 */
export function withoutDeletions(lines) {
  return lines.flatMap((line) => {
    const { xattrs: _, ...entry } = JSON.parse(line);
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    if (entry.path === '' || entry.rdev === '0:0' || name.startsWith('.wh.')) return [];
    return JSON.stringify(entry);
  });
}
