import { closeSync, openSync } from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, O_PATH, RESOLVE_IN_ROOT } from './constants.ts';
import { close, openat2 } from './files.ts';
import { loadNative } from './library.ts';
import { ofdQueryLock } from './locks.ts';
import { fsopen } from './mountApi.ts';
import { zstdUnavailableReason } from './zstd.ts';

type Feature = 'ofdLocks' | 'openat2' | 'newMountApi' | 'libzstd';

/** What this host can do. `reasons` says for each missing feature why. */
export interface Capabilities {
  /** Whether any native call is possible; the others are false without. */
  readonly native: boolean;
  /** Why `native` is false. */
  readonly reason?: string;
  /** Open-file-description locks of the kernel (a file system may still refuse them). */
  readonly ofdLocks: boolean;
  /** `openat2` with `RESOLVE_IN_ROOT`. */
  readonly openat2: boolean;
  /** `fsopen` and its family, for this user. */
  readonly newMountApi: boolean;
  readonly libzstd: boolean;
  readonly reasons: Readonly<Partial<Record<Feature, string>>>;
}

const PROBES: Readonly<Record<Feature, () => void>> = {
  ofdLocks,
  openat2: confinedOpen,
  newMountApi,
  libzstd,
};

let known: Capabilities | undefined;

/** Finds out once what this host can do; loads koffi. Never throws. */
export function capabilities(): Capabilities {
  known ??= probe();
  return known;
}

function probe(): Capabilities {
  const native = loadNative();
  if ('reason' in native) {
    const { reason } = native;
    const reasons = { ofdLocks: reason, openat2: reason, newMountApi: reason, libzstd: reason };
    const none = { ofdLocks: false, openat2: false, newMountApi: false, libzstd: false };
    return { native: false, reason, ...none, reasons };
  }
  const reasons: Partial<Record<Feature, string>> = {};
  const has = (feature: Feature): boolean => {
    try {
      PROBES[feature]();
      return true;
    } catch (error) {
      reasons[feature] = error instanceof Error ? error.message : String(error);
      return false;
    }
  };
  return {
    native: true,
    ofdLocks: has('ofdLocks'),
    openat2: has('openat2'),
    newMountApi: has('newMountApi'),
    libzstd: has('libzstd'),
    reasons,
  };
}

function ofdLocks(): void {
  const fd = openSync('/proc/self/exe', 'r');
  try {
    ofdQueryLock(fd, 'read');
  } finally {
    closeSync(fd);
  }
}

function confinedOpen(): void {
  close(openat2(AT_FDCWD, '/', { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_IN_ROOT }));
}

/** tmpfs is in every kernel, so that nothing is loaded by asking. */
function newMountApi(): void {
  close(fsopen('tmpfs'));
}

function libzstd(): void {
  const reason = zstdUnavailableReason();
  if (reason !== undefined) throw new Error(reason);
}
