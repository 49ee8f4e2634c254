import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { PEER_PROGRAMS } from '../lib/peerPrograms.js';
import { findProgram, runHelper } from './helperProgram.js';

/**
 * What the numbers were measured on.
 *
 * @returns {Record<string, string | number>}
 */
export function describeMachine() {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model.trim() ?? 'unknown',
    shaInstructions: hasShaInstructions() ? 'yes' : 'no',
    libraries: usedLibraries().join(' ') || 'none',
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    // of one minute: above zero when other work runs meanwhile
    loadAverageBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Whether the processor computes SHA-256 itself, four times as fast as it is done without. */
function hasShaInstructions() {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return / (?:sha_ni|sha2)(?: |$)/.test(flags);
}

/** Those of the libraries that imports and exports use where there are some. */
function usedLibraries() {
  const cache =
    spawnSync(findProgram('ldconfig') ?? '/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '';
  return ['libdeflate.so.0', 'libisal.so.2', 'libzstd.so.1'].filter((name) => cache.includes(`\t${name} `));
}

/**
 * @param {string} directory
 * @returns {string} type of the file system that it lies on, and its device: what a sync costs depends on it
 */
export function mediumOf(directory) {
  const mounts = runHelper('findmnt', ['--noheadings', '--output=FSTYPE,SOURCE', `--target=${directory}`]);
  // the last one hides those before it
  const [type = '', source = ''] = mounts.trim().split('\n').at(-1)?.split(/ +/) ?? [];
  return type === source ? type : `${type} (${source})`;
}

/**
 * The first line that each peer says of its version; the Go `containers-storage` says nothing, so its package does.
 *
 * @returns {Record<string, string>}
 */
export function peerVersions() {
  const { skopeo, podman, umoci } = PEER_PROGRAMS;
  /** @type {Array<[string, string | undefined, string[]]>} */
  const questions = [
    ['skopeo', skopeo, ['--version']],
    ['podman', podman, ['--version']],
    ['umoci', umoci, ['--version']],
    ['containers-storage', findProgram('dpkg-query'), ['--show', 'containers-storage']],
    ['tar', findProgram('tar'), ['--version']],
    ['pigz', findProgram('pigz'), ['--version']],
  ];
  return Object.fromEntries(
    questions.map(([name, path, args]) => {
      if (path === undefined || !existsSync(path)) return [name, 'not installed'];
      const { stdout } = spawnSync(path, args, { encoding: 'utf8' });
      return [name, stdout?.split('\n')[0]?.replace('\t', ' ') || 'unknown version'];
    }),
  );
}
