import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { TarReader } from '@sediment/codec';
import type { Warning } from '@sediment/core';
import type { UnpackPolicy } from '../../src/drivers/unpackPolicy.ts';
import { Extractor, type ExtractorOptions } from '../../src/unpack/extractor.ts';
import { WarningTally } from '../../src/unpack/warningTally.ts';
import { buildTar, type EntrySpec } from './tarBuilder.ts';

/** Why tests that make owners and device nodes cannot run; undefined when they can. */
export const NEEDS_ROOT = process.geteuid?.() === 0 ? undefined : 'needs root';

export const OVERLAY: UnpackPolicy = {
  whiteouts: 'overlay',
  opaqueXattr: 'trusted.overlay.opaque',
  applyRootEntry: false,
  parentMode: 0o755,
  ignoreChownErrors: false,
};

export const VFS: UnpackPolicy = { ...OVERLAY, whiteouts: 'apply', applyRootEntry: true };

/** A directory on tmpfs for one test file; call the result to remove it. */
export function testDirectory(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(`/dev/shm/sediment-${name}-`);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface UnpackRequest extends Partial<Omit<ExtractorOptions, 'warnings'>> {
  root: string;
  policy: UnpackPolicy;
}

/** Unpacks a tar in this thread, as the job does but without digests and tar-split. */
export function unpackTar(tar: Buffer, request: UnpackRequest): Warning[] {
  const what = request.what ?? 'layer 1';
  const warnings = new WarningTally(what);
  mkdirSync(request.root, { recursive: true });
  const extractor = new Extractor({ ...request, what, warnings });
  try {
    const handler = {
      raw: () => undefined,
      entry: extractor.entry.bind(extractor),
      data: extractor.data.bind(extractor),
      entryEnd: extractor.entryEnd.bind(extractor),
    };
    const reader = new TarReader(handler, { what });
    reader.write(tar);
    reader.end();
    extractor.finish();
  } finally {
    extractor.close();
  }
  return warnings.list();
}

export function unpackEntries(entries: readonly EntrySpec[], request: UnpackRequest): Warning[] {
  return unpackTar(buildTar(entries), request);
}

/** The error that `fn` throws. */
export function errorOf(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
