import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { checkoutRoot } from './checkout.js';

/**
 * The programs that judge our stores, always called by absolute path: npm puts `node_modules/.bin` first
 * in PATH, where a command of ours may have the name of a peer.
 */
export const PEER_PROGRAMS = /** @type {const} */ ({
  podman: '/usr/bin/podman',
  skopeo: '/usr/bin/skopeo',
  buildah: '/usr/bin/buildah',
  'containers-storage': '/usr/bin/containers-storage',
  umoci: '/usr/bin/umoci',
  crun: '/usr/bin/crun',
  'tar-split': '/usr/bin/tar-split',
});

/** @typedef {keyof typeof PEER_PROGRAMS} PeerName */

/**
 * Why a file cannot be a peer: it is missing, lies in this checkout (then it may be ours), or is no
 * machine program (then it may be a wrapper).
 *
 * @param {string} path absolute
 * @param {string} [checkout] absolute path that no peer may lie below
 * @returns {string | undefined} the reason; undefined when the file is fit
 */
export function peerDefect(path, checkout = checkoutRoot) {
  let real;
  let file;
  try {
    real = realpathSync(path);
    file = openSync(real, 'r');
  } catch (error) {
    return `${path} cannot be opened (${/** @type {NodeJS.ErrnoException} */ (error).code})`;
  }
  const magic = Buffer.alloc(4);
  readSync(file, magic, 0, 4, 0);
  closeSync(file);
  if (real.startsWith(`${realpathSync(checkout)}/`)) return `${path} lies inside of this checkout`;
  return magic.equals(Buffer.from('\x7fELF', 'latin1')) ? undefined : `${path} is no ELF program`;
}

/**
 * Why the peer tests cannot run on this host.
 *
 * @returns {string | undefined} undefined when they can
 */
export function peersMissing() {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const defects = Object.values(PEER_PROGRAMS).flatMap((path) => peerDefect(path) ?? []);
  return defects.length === 0 ? undefined : `needs the peers: ${defects.join('; ')}`;
}
