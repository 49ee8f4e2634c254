import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { CLONE_NEWUSER, openFileLimit, umask, unshare } from '../src/index.ts';
import { bundleSources } from './support/bundle.ts';
import { isLinux, tempDir } from './support/tempDir.ts';

const IN_WORKER = `
import { chdir, CLONE_FS, umask, unshare } from './index.ts';
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
unshare(CLONE_FS);
const before = umask(0);
chdir(workerData);
mkdirSync('made-by-worker', 0o777);
parentPort.postMessage({ before, after: umask(0), cwd: readlinkSync('/proc/thread-self/cwd') });
parentPort.once('message', () => process.exit());
`;

describe.skipIf(!isLinux)('thread attributes (need Linux)', () => {
  it('gives a worker its own umask and working directory', async () => {
    const dir = tempDir();
    const processUmask = process.umask();
    const cwd = process.cwd();
    const worker = new Worker(await bundleSources(IN_WORKER, dir), { workerData: dir });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toEqual({ before: processUmask, after: 0, cwd: dir });
    expect(statSync(`${dir}/made-by-worker`).mode & 0o777).toBe(0o777);
    // the worker is still running with its umask 0; this thread creates with the former one
    expect(process.umask()).toBe(processUmask);
    expect(process.cwd()).toBe(cwd);
    expect(statSync(mkdtempSync(`${dir}/x-`)).mode & 0o022).toBe(0);
    worker.postMessage('end');
    await new Promise((resolve) => worker.once('exit', resolve));
  });

  it('cannot enter a user namespace in a threaded process', () => {
    expect(() => unshare(CLONE_NEWUSER)).toThrow('EINVAL');
  });

  it('knows how many files may be open', () => {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    expect(openFileLimit()).toBe(Number(soft));
  });

  it('sets and gives back the umask', () => {
    const before = umask(0o077);
    expect(umask(before)).toBe(0o077);
  });
});
