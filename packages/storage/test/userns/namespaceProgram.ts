/** Runs what `argv` says in a user namespace and prints how it ended; what goes wrong is printed as JSON. */
import { isStorageError } from '@sediment/core';
import { runInUserNamespace } from '../../src/userns/runInUserNamespace.ts';

const [share, ...argv] = process.argv.slice(2);

try {
  const end = await runInUserNamespace(argv, {
    share: share === 'share',
    onWarning: (warning) => process.stderr.write(`${JSON.stringify(warning)}\n`),
  });
  process.stderr.write(`${JSON.stringify(end)}\n`);
} catch (error) {
  if (!isStorageError(error)) throw error;
  process.stderr.write(`${JSON.stringify(error)}\n`);
}
