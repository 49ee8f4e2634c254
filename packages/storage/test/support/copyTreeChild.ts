/** Copies a tree: the program for tests that need a process of its own. */
import { copyTree } from '../../src/copy/copyTree.ts';

const [source, target] = process.argv.slice(2) as [string, string];
copyTree(source, target, {
  ignoreChownErrors: false,
  onWarning: (warning) => {
    throw new Error(warning.message);
  },
});
