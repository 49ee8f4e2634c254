import { isStorageError } from '@sediment/core';
import type { DedupHash, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG, stringFlag } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { printJson } from '../output/json.ts';
import { namingFailures } from './failures.ts';

const HASHES: readonly DedupHash[] = ['crc', 'size', 'sha256'];

export const dedupCommand: CommandDefinition = {
  names: ['dedup'],
  synopsis: '',
  description: 'Dedup all images',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    JSON_FLAG,
    stringFlag(['--hash-method'], 'Specify the hash function to use to detect identical files', 'crc'),
  ],
  run: async (context) => {
    const { store, streams, flags } = context;
    const method = flags.string('--hash-method');
    const hash = HASHES.find((each) => each === method);
    if (hash === undefined) throw new CommandError(`invalid hash method: ${method}`);
    return await namingFailures(context, async () => {
      const bytes = await sharedBytes(store, hash);
      if (flags.boolean('--json')) printJson(streams, { Deduped: bytes });
      else streams.out(`Deduplicated ${bytes} bytes\n`);
    });
  },
};

/** Where nothing can be shared nothing is, which is no failure for the Go command. */
async function sharedBytes(store: Store, hash: DedupHash): Promise<number> {
  try {
    return (await store.dedup({ hash })).bytes;
  } catch (error) {
    if (isStorageError(error, 'NOT_SUPPORTED')) return 0;
    throw error;
  }
}
