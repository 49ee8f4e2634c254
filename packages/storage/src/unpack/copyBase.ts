import { type Warning, wrapSystemError } from '@sediment/core';
import { copyTree } from '../copy/copyTree.ts';
import type { UnpackJob } from './unpackJob.ts';

/**
 * Copies the tree that the job's tree begins as, if there is one.
 *
 * @returns what went on differently
 * @throws {StorageError} `NO_SPACE`, `IO`; what `checkpoint` throws, to stop
 */
export function copyBase({ what, tree }: UnpackJob, checkpoint: () => void): Warning[] {
  if (tree?.base === undefined) return [];
  const { root, base, policy } = tree;
  const warnings: Warning[] = [];
  const onWarning = (warning: Warning): void => void warnings.push(warning);
  try {
    copyTree(base, root, { ignoreChownErrors: policy.ignoreChownErrors, checkpoint, onWarning });
  } catch (error) {
    throw wrapSystemError(error, `${what}: copying ${base} to ${root}`, 'IO', { path: root });
  }
  return warnings;
}
