import type { DedupHash } from '@sediment/storage';
import { type Command, Option } from 'commander';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { withSignals } from '../commandLine/withSignals.ts';
import { withStore } from '../commandLine/withStore.ts';
import { formatBytes } from '../output/bytes.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';

interface DedupCommandOptions {
  readonly hash: DedupHash;
  readonly format: 'table' | 'json';
}

/** Written out, since the storage package is loaded only when the command runs. */
const HASHES: readonly DedupHash[] = ['crc', 'size', 'sha256'];

export function dedupCommand(terminal: Terminal): Command {
  return newCommand('dedup', 'Let equal files of all images share their blocks on disk', [
    ['sediment dedup', 'needs btrfs, or xfs with reflinks; no file changes its content'],
  ])
    .addOption(
      new Option('--hash <hash>', 'how files that may be equal are found')
        .choices([...HASHES])
        .default('crc'),
    )
    .addOption(formatOption())
    .action(async ({ hash, format }: DedupCommandOptions, command: Command) => {
      const result = await withSignals(terminal, async ({ signal }) => {
        return await withStore(command, terminal, (store) => store.dedup({ hash, signal }));
      });
      if (format === 'json') terminal.print(formatJson(result));
      else terminal.print(`Deduplicated ${formatBytes(result.bytes)}, counting what was shared before\n`);
    });
}
