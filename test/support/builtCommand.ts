import { bundleCommands } from '../../scripts/lib/bundleCommand.js';

/** End-to-end and peer suites run the built command: bundled anew, so that it is never an old one. */
export async function setup(): Promise<void> {
  await bundleCommands();
}
