import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { errnoCode } from '@sediment/core';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { CommandError } from '../errors/commandError.ts';
import { errnoWords } from '../errors/systemErrorText.ts';
import { goLog } from '../output/goLog.ts';
import { goQuote } from '../output/goQuote.ts';

export const unshareCommand: CommandDefinition = {
  names: ['unshare'],
  synopsis: '[command [...]]',
  description: 'Run a command in a user namespace',
  minArgs: 0,
  maxArgs: undefined,
  flags: [],
  run: async ({ args, streams, global }) => {
    const argv = args.length === 0 ? [process.env.SHELL || '/bin/sh'] : args;
    refuseUnknownProgram(argv[0] ?? '');
    const { runInUserNamespace } = await import('@sediment/storage');
    const log = goLog(streams, global.debug ? 'debug' : 'error');
    const { code, signal } = await runInUserNamespace(argv, {
      onWarning: ({ message }) => log('warning', message),
    });
    if (signal !== null) throw new CommandError(`signal: ${signal}`);
    if (code !== 0) throw new CommandError(`exit status ${code}`);
    return SUCCESS;
  },
};

/** The namespace is not made for a program that is not there. */
function refuseUnknownProgram(program: string): void {
  if (program.includes('/')) {
    const code = whyNotExecutable(program);
    if (code !== undefined) throw new CommandError(`fork/exec ${program}: ${errnoWords(code)}`);
  } else if (
    !pathDirectories().some((directory) => whyNotExecutable(join(directory, program)) === undefined)
  ) {
    throw new CommandError(`exec: ${goQuote(program)}: executable file not found in $PATH`);
  }
}

function pathDirectories(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
}

function whyNotExecutable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoCode(error) ?? 'ENOENT';
  }
}
