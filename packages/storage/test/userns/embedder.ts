/** A program that embeds a store: makes a layer in it, after running itself again if `argv` says so. */
import { isStorageError } from '@sediment/core';
import { needsUserNamespace, openStore, reexecInUserNamespace } from '../../src/index.ts';

const [again, graphRoot = '', runRoot = ''] = process.argv.slice(2);

try {
  if (again === 'again' && needsUserNamespace()) process.exit(await reexecInUserNamespace({ share: false }));
  await using store = await openStore({
    graphRoot,
    runRoot,
    driver: 'overlay',
    driverOptions: [],
    onWarning: ({ code }) => process.stderr.write(`${code}\n`),
  });
  process.stdout.write(`${(await store.layers.list()).length}\n`);
  const { id } = await store.layers.create({ names: ['made'] });
  process.stdout.write(`${id}\n`);
} catch (error) {
  if (!isStorageError(error)) throw error;
  process.stdout.write(JSON.stringify(error));
}
