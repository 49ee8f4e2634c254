import type { TarHeader } from '@sediment/codec';
import type { FileTimes } from '@sediment/posix';

const MAX_NS = 2n ** 63n - 1n;

/**
 * Times of a file: the access time is never before the modification time (containers/storage,
 * `pkg/archive` `extractTarFileEntry`); what 64 bits of nanoseconds since 1970 cannot hold becomes 0
 * (`pkg/system` `Chtimes`).
 */
export function fileTimes(header: TarHeader): { mtimeNs: bigint; atimeNs: bigint } {
  const mtimeNs = sinceEpoch(header.mtimeNs);
  const { atimeNs } = header;
  return { mtimeNs, atimeNs: atimeNs === undefined || atimeNs < mtimeNs ? mtimeNs : sinceEpoch(atimeNs) };
}

/** Times of a symlink: as those of a file, but years before 1970 are kept (`LUtimesNano`). */
export function symlinkTimes(header: TarHeader): FileTimes {
  const { mtimeNs, atimeNs } = header;
  if (mtimeNs > MAX_NS || mtimeNs < -MAX_NS) return { mtimeNs: 0n, atimeNs: 0n };
  return { mtimeNs, atimeNs: atimeNs === undefined || atimeNs < mtimeNs ? mtimeNs : sinceEpoch(atimeNs) };
}

/** Times of a directory, set when all is unpacked: here upstream takes both as the tar has them, a missing one as 0. */
export function directoryTimes(header: TarHeader): { mtimeNs: bigint; atimeNs: bigint } {
  return { mtimeNs: sinceEpoch(header.mtimeNs), atimeNs: sinceEpoch(header.atimeNs ?? 0n) };
}

function sinceEpoch(timeNs: bigint): bigint {
  return timeNs < 0n || timeNs > MAX_NS ? 0n : timeNs;
}
