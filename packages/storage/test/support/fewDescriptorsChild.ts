/** A program that unpacks a layer while hardly any file can be opened: `node child <job as JSON>`. */
import { closeSync, openSync } from 'node:fs';
import type { UnpackJob } from '../../src/unpack/unpackJob.ts';
import { UnpackPool } from '../../src/unpack/unpackPool.ts';

export interface FewDescriptorsJob {
  readonly size: 1 | 2;
  readonly first: UnpackJob;
  readonly job: UnpackJob;
  /** How many descriptors are free, and whether those have low numbers, as after much was closed, or high ones. */
  readonly free: number;
  readonly numbers: 'low' | 'high';
}

/** Opens all that can be opened, and closes some again. */
function leaveFree({ free, numbers }: FewDescriptorsJob): void {
  const fds: number[] = [];
  try {
    for (;;) fds.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
  for (const fd of numbers === 'low' ? fds.slice(0, free) : fds.slice(-free)) closeSync(fd);
}

const job = JSON.parse(process.argv[2] as string) as FewDescriptorsJob;
const pool = new UnpackPool({ size: job.size, splitMinBytes: 0 });
await pool.run(job.first);
leaveFree(job);
const { treeBytes, warnings } = await pool.run(job.job);
process.stdout.write(JSON.stringify({ treeBytes, warnings }));
await pool.close();
