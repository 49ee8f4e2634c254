import type { Garbage } from '@sediment/storage';
import type { Command } from 'commander';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { formatBytes } from '../output/bytes.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';

export function gcCommand(terminal: Terminal): Command {
  return newCommand('gc', 'Remove files that no image, layer or container accounts for', [
    [
      'sediment gc',
      'what interrupted programs left, and kept blobs that belong to nobody; recorded layers stay, used or not',
    ],
  ])
    .addOption(formatOption())
    .action(async ({ format }: { readonly format: 'table' | 'json' }, command: Command) => {
      const garbage = await withStore(command, terminal, (store) => store.collectGarbage());
      terminal.print(format === 'json' ? formatJson(garbage) : garbageText(garbage));
    });
}

function garbageText({ containers, images, layers, blobs, blobBytes }: Garbage): string {
  const line = (kind: string) => (id: string) => `Removed ${kind}: ${id}\n`;
  return [
    ...containers.map(line('container directory')),
    ...images.map(line('image directory')),
    ...layers.map(line('layer')),
    ...blobs.map(line('kept blob')),
    ...(blobs.length === 0 ? [] : [`Freed by removed blobs: ${formatBytes(blobBytes)}\n`]),
  ].join('');
}
