/** Entry file of the unpack worker, beside this one in a build. */
export const unpackWorkerUrl: URL = new URL('./worker.js', import.meta.url);
