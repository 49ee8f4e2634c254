import { pathToFileURL } from 'node:url';

/** Stands in for the module of the same name in the storage package while tests run. */
export const unpackWorkerUrl: URL = pathToFileURL(
  process.env.SEDIMENT_TEST_WORKER ?? 'worker-was-not-bundled',
);
