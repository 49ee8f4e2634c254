import type { KeepPolicy } from '@sediment/storage';
import { Argument, type Command } from 'commander';
import { newCommand } from '../../commandLine/newCommand.ts';
import { withStore } from '../../commandLine/withStore.ts';
import type { Terminal } from '../../output/terminal.ts';

/** What each policy means, in the order in which they are listed. */
const MEANINGS: Readonly<Record<KeepPolicy, string>> = {
  none: 'imports keep no blobs unless asked to by --keep-blobs',
  all: 'every import keeps its blobs, until the image is removed',
  pinned: 'as none, and what is kept by --keep-blobs is pinned; "sediment gc" takes away all other blobs',
  'until-export': 'every import keeps its blobs, until the image is exported',
};

export function blobsPolicyCommand(terminal: Terminal): Command {
  const lines = Object.entries(MEANINGS).map(([policy, meaning]) => `  ${policy.padEnd(13)} ${meaning}`);
  return newCommand('policy', 'Show or set which blobs the store keeps; imports can say otherwise', [
    ['sediment blobs policy', 'prints the policy'],
    ['sediment blobs policy until-export', 'keeps blobs of every import until its image is exported'],
  ])
    .addArgument(new Argument('[policy]', 'the new policy').choices(Object.keys(MEANINGS)))
    .addHelpText('after', `\nPolicies:\n${lines.join('\n')}`)
    .action(async (policy: KeepPolicy | undefined, _options: unknown, command: Command) => {
      await withStore(command, terminal, async ({ blobs }) => {
        if (policy !== undefined) await blobs.setPolicy(policy);
        terminal.print(`${await blobs.policy()}\n`);
      });
    });
}
