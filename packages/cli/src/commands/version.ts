import type { Command } from 'commander';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';
import { readVersion } from '../version.ts';

export function versionCommand(terminal: Terminal): Command {
  return newCommand('version', 'Print the version; opens no store', [
    ['sediment version', 'the version of this command'],
    ['sediment version --format json', 'also of Node.js, and the platform'],
  ])
    .addOption(formatOption())
    .action(({ format }: { readonly format: 'table' | 'json' }) => {
      const version = readVersion();
      const { version: node, platform, arch } = process;
      terminal.print(
        format === 'json' ? formatJson({ version, node, platform, arch }) : `sediment ${version}\n`,
      );
    });
}
