export type { LockBackendName } from './lockBackend.ts';
export {
  LOCK_RANKS,
  type LockFile,
  type LockGuard,
  type LockRank,
  type LockWaitOptions,
  type TryResult,
} from './lockFile.ts';
export { LockManager, type LockManagerOptions, type LockOptions } from './lockManager.ts';
export { TOKEN_BYTES } from './lockToken.ts';
