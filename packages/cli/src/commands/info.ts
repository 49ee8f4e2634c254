import type { StoreInfo } from '@sediment/storage';
import type { Command } from 'commander';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { formatBytes } from '../output/bytes.ts';
import { formatJson } from '../output/json.ts';
import { formatFacts, formatTable } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';
import { readVersion } from '../version.ts';

export function infoCommand(terminal: Terminal): Command {
  return newCommand('info', 'Show the store, its driver, and where each setting comes from', [
    ['sediment info', 'everything that storage.conf, the environment and the options lead to'],
    ['sediment info --format json | jq -r .graphRoot', 'the directory of the store'],
  ])
    .addOption(formatOption())
    .action(async ({ format }: { readonly format: 'table' | 'json' }, command: Command) => {
      const info = await withStore(command, terminal, (store) => store.info());
      terminal.print(format === 'json' ? formatJson(infoJson(info)) : infoText(info, terminal.columns));
    });
}

/** What `sediment info --format json` prints. */
export function infoJson(info: StoreInfo): unknown {
  return { version: readVersion(), ...info, driverStatus: Object.fromEntries(info.driverStatus) };
}

export function infoText(info: StoreInfo, width?: number): string {
  const { counts } = info;
  const facts: [string, string][] = [
    ['Graph root', info.graphRoot],
    ['Run root', info.runRoot],
    ['Access', info.access],
    ['Durability', `${info.durability.policy} (${info.durability.source})`],
    ['Images', String(counts.images)],
    ['Layers', String(counts.layers)],
    ['Containers', String(counts.containers)],
    ['Kept blobs', keptText(info.keptBlobs)],
    ['Driver', info.driver],
    ...info.driverStatus.map(([key, value]): [string, string] => [`  ${key}`, value]),
    ['Configuration', info.configFiles.length === 0 ? 'no storage.conf' : info.configFiles.join(', ')],
  ];
  const settings = info.settings.map(({ key, value, source }) => [key, formatValue(value), source]);
  return `${formatFacts(facts, width)}\n${formatTable(
    [
      { title: 'SETTING', shrinkTo: 16, cut: 'middle' },
      { title: 'VALUE', shrinkTo: 16, cut: 'middle' },
      { title: 'SOURCE', shrinkTo: 16, cut: 'middle' },
    ],
    settings,
    width,
  )}`;
}

/** `12 (345 MB, 2 pinned), policy all`. */
function keptText({ policy, blobs, bytes, pinned }: StoreInfo['keptBlobs']): string {
  const size = blobs === 0 ? '' : ` (${formatBytes(bytes)}${pinned === 0 ? '' : `, ${pinned} pinned`})`;
  return `${blobs}${size}, policy ${policy}`;
}

/** A value on one line: lists and tables in short form. */
function formatValue(value: StoreInfo['settings'][number]['value']): string {
  if (typeof value !== 'object') return value === '' ? '-' : String(value);
  const parts = Array.isArray(value) ? value : Object.entries(value).map(([key, each]) => `${key}=${each}`);
  return parts.length === 0 ? '-' : parts.join(', ');
}
