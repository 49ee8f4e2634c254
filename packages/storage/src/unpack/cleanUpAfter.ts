import { existsSync, realpathSync, rmSync } from 'node:fs';
import { closeDescriptorsBelow } from './openDescriptors.ts';
import type { UnpackJob } from './unpackJob.ts';

/**
 * Removes what a thread that ended unexpectedly has left of a job: open files of the tree, half a tar-split, half a copy.
 * (Node closes what it opened for the thread.) No thread may work on the job any more.
 */
export function cleanUpAfter(job: UnpackJob): void {
  const { tree } = job;
  if (tree !== undefined && existsSync(tree.root)) closeDescriptorsBelow(realpathSync(tree.root));
  removeUnfinished(job);
}

/** Removes half a tar-split, and half a copy. A thread that is well closes its descriptors itself, maybe later. */
export function removeUnfinished({ tarSplit, keep }: UnpackJob): void {
  for (const file of [tarSplit, keep]) if (file !== undefined) rmSync(file.path, { force: true });
}
