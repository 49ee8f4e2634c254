import type { Command } from 'commander';
import { newCommand } from '../../commandLine/newCommand.ts';
import type { Terminal } from '../../output/terminal.ts';
import { blobsDropCommand } from './drop.ts';
import { blobsGetCommand } from './get.ts';
import { blobsListCommand } from './list.ts';
import { blobsPinCommand, blobsUnpinCommand } from './pin.ts';
import { blobsPolicyCommand } from './policy.ts';
import { blobsPutCommand } from './put.ts';
import { blobsRmCommand } from './rm.ts';

export function blobsCommand(terminal: Terminal): Command {
  const group = newCommand('blobs', 'The blobs that the store keeps as they came, for exports byte by byte', [
    ['sediment blobs', 'lists them, with sizes and the images that they belong to'],
    ['sediment blobs policy all', 'from now on, every import keeps its blobs'],
    ['sediment blobs get sha256:8a5e… > layer.tar.gz', 'one of them, as it came'],
  ]);
  const list = blobsListCommand(terminal);
  group.addCommand(list, { isDefault: true });
  for (const create of [
    blobsPutCommand,
    blobsGetCommand,
    blobsRmCommand,
    blobsDropCommand,
    blobsPinCommand,
    blobsUnpinCommand,
    blobsPolicyCommand,
  ]) {
    group.addCommand(create(terminal));
  }
  return group;
}
