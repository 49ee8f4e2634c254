import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { programPath, runHelper } from './helperProgram.js';

/** What skopeo and podman know about blobs lies here whatever the root of the store; the host's own is hidden. */
const HOST_CONTAINERS = '/var/lib/containers';

/** Names of the variables that say where the scratch directory is, and when all began, in milliseconds. */
export const SCRATCH_VARIABLE = 'SEDIMENT_BENCH_SCRATCH';
export const STARTED_VARIABLE = 'SEDIMENT_BENCH_STARTED';

/**
 * Runs a script in namespaces of its own for mounts and processes, with a scratch directory. Whatever ends it, all
 * that it started ends with it, nothing stays mounted, and the scratch directory is removed.
 *
 * @param {string} script
 * @param {{ directory: string, args: readonly string[], started: number }} options `directory`: where to make the
 *   scratch directory; `started`: when all began, by `Date.now()`
 * @returns {Promise<number>} exit status; 128 plus the signal's number after Ctrl-C or a signal
 */
export async function runIsolated(script, { directory, args, started }) {
  const hidden = !existsSync(HOST_CONTAINERS);
  if (hidden) mkdirSync(HOST_CONTAINERS);
  mkdirSync(directory, { recursive: true });
  const scratch = mkdtempSync(join(directory, 'sediment-bench-'));
  const namespaces = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn(programPath('unshare'), [...namespaces, process.execPath, script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, [SCRATCH_VARIABLE]: scratch, [STARTED_VARIABLE]: String(started) },
  });
  let interrupted = 0;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      interrupted = signalStatus(signal);
      process.stderr.write(`bench: ended by ${signal}\n`);
      child.kill('SIGKILL');
    });
  }
  try {
    /** @type {number} */
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? signalStatus(signal ?? 'SIGKILL')));
    });
    if (status > 128 && interrupted === 0) process.stderr.write(`bench: killed, exit status ${status}\n`);
    return interrupted || status;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    if (hidden) rmdirSync(HOST_CONTAINERS);
  }
}

/** @param {NodeJS.Signals} signal */
function signalStatus(signal) {
  return 128 + constants.signals[signal];
}

/** Hides what containers programs share between stores; for the namespaces of {@link runIsolated}. */
export function hideHostContainers() {
  runHelper('mount', ['-t', 'tmpfs', 'tmpfs', HOST_CONTAINERS]);
}

/** So that no run knows what an earlier one has learned. */
export function clearBlobInfoCache() {
  for (const name of readdirSync(HOST_CONTAINERS)) rmSync(join(HOST_CONTAINERS, name), { recursive: true });
}
