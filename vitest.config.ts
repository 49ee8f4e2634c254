import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
const conditions = ['sediment-source', 'node', 'import', 'module', 'default'];

/**
 * Sibling packages resolve to their sources (never to a stale `dist`), and the unpack worker, which
 * runs in a thread of its own outside of vitest's module loader, is bundled anew from the sources.
 */
const shared = {
  resolve: {
    conditions,
    alias: [{ find: /^(.*)\/workerUrl\.ts$/, replacement: `${root}test/support/workerUrl.ts` }],
  },
  ssr: { resolve: { conditions, externalConditions: ['node', 'import', 'default'] } },
};

/** What is known about blobs is shared by all programs of a user, so no test may add to it. */
const env = { SEDIMENT_BLOB_INFO_CACHE: 'off' };

export default defineConfig({
  test: {
    // By default vitest keeps a core for itself, which on two cores leaves one worker.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/support/bundleWorker.ts', 'test/support/hostStoreGuard.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          env,
          include: ['packages/*/test/**/*.test.ts', 'test/harness/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          env,
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/builtCommand.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'peers',
          env,
          include: ['test/peers/**/*.test.ts'],
          globalSetup: [
            'test/support/builtCommand.ts',
            'test/support/peerVersions.ts',
            'test/support/images/imageLibraryPlace.ts',
          ],
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
