import type { Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG, stringFlag } from '../commandLine/flag.ts';
import { printJson } from '../output/json.ts';
import { mountErrorText } from './mountErrorText.ts';

export const mountCommand: CommandDefinition = {
  names: ['mount'],
  synopsis: '[options [...]] LayerOrContainerNameOrID',
  description: 'Mount a layer or container',
  minArgs: 1,
  maxArgs: undefined,
  flags: [
    // the Go command takes it and does nothing with it
    stringFlag(['--opt', '-o'], 'Mount Options'),
    stringFlag(['--label', '-l'], 'Mount Label'),
    booleanFlag(['--read-only', '--ro', '-r'], 'Mount image readonly'),
    JSON_FLAG,
  ],
  run: async ({ store, streams, flags, args }) => {
    const asImage = flags.boolean('--read-only');
    const label = flags.string('--label');
    const results: MountResult[] = [];
    for (const id of args) results.push(await mount(store, id, { asImage, label }));
    if (flags.boolean('--json')) {
      printJson(streams, results);
    } else {
      for (const { id, mountpoint, error } of results) {
        if (error !== '') streams.err(`${error} while mounting ${id}\n`);
        streams.out(`${mountpoint}\n`);
      }
    }
    return results.every(({ error }) => error === '') ? SUCCESS : FAILURE;
  },
};

/** As `--json` prints it; what does not apply is empty. */
interface MountResult {
  readonly id: string;
  readonly mountpoint: string;
  readonly error: string;
}

async function mount(
  store: Store,
  id: string,
  { asImage, label }: { asImage: boolean; label: string },
): Promise<MountResult> {
  const options = label === '' ? {} : { label };
  try {
    const mountpoint = asImage ? await store.mountImage(id, options) : await store.mount(id, options);
    return { id, mountpoint, error: '' };
  } catch (error) {
    return { id, mountpoint: '', error: mountErrorText(error) };
  }
}
