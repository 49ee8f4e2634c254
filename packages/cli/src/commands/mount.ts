import { StorageError } from '@sediment/core';
import type { Command } from 'commander';
import { eachArgument } from '../commandLine/eachArgument.ts';
import { isInOwnNamespace } from '../commandLine/enterUserNamespace.ts';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { listMounts, mountsTable } from '../listings/mountListing.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';

type Format = 'table' | 'json';

export function mountCommand(terminal: Terminal): Command {
  return newCommand('mount', 'Mount containers and print their directories, or list what is mounted', [
    ['ls "$(sediment mount box)"', 'the files of the container box'],
    ['sediment mount', 'what is mounted, by whichever program'],
  ])
    .argument('[container...]', 'names or ids of containers')
    .addOption(formatOption())
    .action(async (containers: string[], { format }: { readonly format: Format }, command: Command) => {
      if (containers.length === 0) return await printMounts(command, terminal, format);
      await mountContainers({ command, terminal, containers, format });
    });
}

async function printMounts(command: Command, terminal: Terminal, format: Format): Promise<void> {
  const rows = await withStore(command, terminal, listMounts);
  terminal.print(format === 'json' ? formatJson(rows) : mountsTable(rows, terminal.columns));
}

/** As podman does: the caller could not see what is mounted, and where the namespace ends, so would the mount. */
function outOfSight(): StorageError {
  return new StorageError('NEEDS_USERNS', 'mounts of a rootless store are seen only in its user namespace', {
    hint: 'run "sediment unshare" first, or "sediment unshare sediment mount CONTAINER"',
  });
}

interface MountRequest {
  readonly command: Command;
  readonly terminal: Terminal;
  readonly containers: readonly string[];
  readonly format: Format;
}

/** Paths are the result here: they are printed as they are, one per line, never shortened. */
async function mountContainers({ command, terminal, containers, format }: MountRequest): Promise<void> {
  const mounted: { readonly container: string; readonly path: string }[] = [];
  await withStore(command, terminal, async (store) => {
    if (isInOwnNamespace() && (await store.info()).driver !== 'vfs') throw outOfSight();
    try {
      await eachArgument(terminal, containers, async (text) => {
        const { id } = await store.containers.get(text);
        const path = await store.mount(id);
        if (format === 'json') mounted.push({ container: id, path });
        else terminal.print(`${path}\n`);
      });
    } finally {
      if (format === 'json') terminal.print(formatJson(mounted));
    }
  });
}
