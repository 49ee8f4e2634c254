import { constants } from 'node:os';
import { StorageError } from '@sediment/core';
import type { Command } from 'commander';
import { ExitStatus } from '../commandLine/exitStatus.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { reportWarning } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';

export function unshareCommand(terminal: Terminal): Command {
  return newCommand('unshare', 'Run a program, or a shell, in the user namespace of a rootless store', [
    ['sediment unshare', 'a shell that sees mounts and all files of the store'],
    ['sediment unshare sh -c \'ls "$(sediment mount box)"\'', 'the files of the container box'],
  ])
    .argument('[program...]', 'what to run, with its arguments; $SHELL, else /bin/sh, if not given')
    .action(async (program: string[]) => {
      const argv = program.length > 0 ? program : [process.env.SHELL || '/bin/sh'];
      throw new ExitStatus(await runAsUser(argv, terminal));
    });
}

async function runAsUser(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { hasUserNamespace, needsUserNamespace, runInUserNamespace } = await import('@sediment/storage');
  if (!needsUserNamespace() && !hasUserNamespace()) {
    throw new StorageError('NOT_SUPPORTED', 'unshare: root needs no user namespace', {
      hint: `run the program as it is: ${argv.join(' ')}`,
    });
  }
  const { code, signal } = await runInUserNamespace(argv, {
    onWarning: (warning) => reportWarning(terminal, warning),
  });
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
