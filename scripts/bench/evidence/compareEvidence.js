import { createHash } from 'node:crypto';

const SHOWN_DIFFERENCES = 5;

/**
 * @typedef {object} Comparison
 * @property {boolean} equal
 * @property {number} lines of each side, when they are equal
 * @property {string} hash of the lines, shortened
 * @property {string[]} differences the first ones, for people
 */

/**
 * Compares what two programs left behind, line by line.
 *
 * @param {readonly string[]} ours
 * @param {readonly string[]} peer
 * @returns {Comparison}
 */
export function compareEvidence(ours, peer) {
  const equal = ours.length === peer.length && ours.every((line, n) => line === peer[n]);
  return {
    equal,
    lines: ours.length,
    hash: createHash('sha256').update(ours.join('\n')).digest('hex').slice(0, 12),
    differences: equal ? [] : differences(ours, peer),
  };
}

/**
 * @param {readonly string[]} ours
 * @param {readonly string[]} peer
 */
function differences(ours, peer) {
  const [left, right] = [new Set(ours), new Set(peer)];
  const onlyOurs = ours.filter((line) => !right.has(line));
  const onlyPeer = peer.filter((line) => !left.has(line));
  if (onlyOurs.length + onlyPeer.length === 0) return ['the same lines in another order or number'];
  return [
    `${onlyOurs.length} lines only on our side, ${onlyPeer.length} only on the peer's`,
    ...onlyOurs.slice(0, SHOWN_DIFFERENCES).map((line) => `ours: ${line}`),
    ...onlyPeer.slice(0, SHOWN_DIFFERENCES).map((line) => `peer: ${line}`),
  ];
}
