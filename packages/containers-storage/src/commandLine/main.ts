import { errorText } from '../errors/errorText.ts';
import { goLog } from '../output/goLog.ts';
import { processStreams, type Streams } from '../output/streams.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { COMMANDS } from './commands.ts';
import { FAILURE, FLAG_ERROR, SUCCESS } from './exitStatus.ts';
import { booleanFlag, type Flag } from './flag.ts';
import type { FlagValues } from './flagValues.ts';
import {
  configuredOptions,
  type GlobalOptions,
  globalFlags,
  NO_GLOBAL_OPTIONS,
  readGlobalOptions,
  withConfiguration,
} from './globalOptions.ts';
import { printCommandHelp, printGeneralHelp, seeLine } from './help.ts';
import { openSelectedStore } from './openSelectedStore.ts';
import { FlagError, HelpRequested, type ParsedFlags, parseFlags } from './parseFlags.ts';
import { isInNamespace, runAgain } from './runAgain.ts';

const HELP_FLAG: Flag = booleanFlag(['--help'], 'Print usage');

export interface MainOptions {
  /** The path by which the program was called; error messages name it. */
  readonly program?: string;
  readonly streams?: Streams;
  readonly commands?: readonly CommandDefinition[];
}

/** A command line as far as it is understood. */
interface Call {
  readonly program: string;
  readonly streams: Streams;
  readonly commands: readonly CommandDefinition[];
}

/**
 * Runs a command line and returns its exit status.
 *
 * @param words without the program's name
 */
export async function main(words: readonly string[], options: MainOptions = {}): Promise<number> {
  const { program = process.argv[1] ?? '', streams = processStreams(), commands = COMMANDS } = options;
  const call = { program, streams, commands };
  const known = globalFlags(NO_GLOBAL_OPTIONS);
  if (words.length === 0) {
    printGeneralHelp(streams, commands, known, 'err');
    return FAILURE;
  }
  const flags = [...known, HELP_FLAG];
  let parsed: ParsedFlags;
  try {
    parsed = parseFlags(flags, words);
  } catch (error) {
    return generalUsage(call, flags, error);
  }
  const { values, rest } = parsed;
  const [name, ...args] = rest;
  const wantsHelp = values.boolean('--help');
  if (wantsHelp || name === undefined) {
    printGeneralHelp(streams, commands, flags, wantsHelp ? 'out' : 'err');
    return wantsHelp ? SUCCESS : FAILURE;
  }
  return await dispatch(call, name, args, readGlobalOptions(values));
}

/** What is printed for flags before the command that are none. The Go command prints its help twice for `-h`. */
function generalUsage({ program, streams, commands }: Call, flags: readonly Flag[], error: unknown): number {
  const isHelp = error instanceof HelpRequested;
  if (!isHelp && !(error instanceof FlagError)) throw error;
  if (isHelp && error.message === '-help') {
    streams.err("Warning: '-help' is deprecated, it will be replaced by '--help' soon. See usage.\n");
    printGeneralHelp(streams, commands, flags, 'out');
    return SUCCESS;
  }
  if (isHelp || error.withHelp) printGeneralHelp(streams, commands, flags, 'err');
  const see = seeLine(program, 'containers-storage');
  for (const message of isHelp ? [] : error.messages) streams.err(`${message}\n${see}`);
  streams.out(`${isHelp ? 'flag: help requested' : error.message} while parsing arguments (1)\n`);
  printGeneralHelp(streams, commands, flags, 'err');
  return FAILURE;
}

async function dispatch(
  call: Call,
  name: string,
  words: readonly string[],
  before: GlobalOptions,
): Promise<number> {
  const { streams, commands } = call;
  const command = commands.find(({ names }) => names.includes(name));
  if (command === undefined) {
    streams.out(`${name}: unrecognized command.\n`);
    return FAILURE;
  }
  const flags = [...globalFlags(before), ...command.flags];
  const printHelp = async (): Promise<void> => {
    const shown = [...globalFlags(await configuredOptions(before)), ...command.flags];
    printCommandHelp(streams, name, command, shown);
  };
  let parsed: ParsedFlags;
  try {
    parsed = parseFlags(flags, words);
  } catch (error) {
    if (error instanceof HelpRequested || (error instanceof FlagError && error.withHelp)) await printHelp();
    else if (!(error instanceof FlagError)) throw error;
    const messages = error instanceof FlagError ? error.messages : [];
    for (const message of messages) streams.err(`${message}\n${seeLine(call.program, name)}`);
    return FLAG_ERROR;
  }
  const complaint = wrongCount(command, name, parsed.rest);
  if (complaint !== undefined) {
    streams.out(`${complaint}\n`);
    await printHelp();
    return FAILURE;
  }
  const { values, rest } = parsed;
  if (values.boolean('--unshare') && !isInNamespace(process.env)) {
    return await runAgain(streams, values.boolean('--debug'));
  }
  const global = await withConfiguration(before, readGlobalOptions(values));
  return await runCommand({ streams, command, name, args: rest, flags: values, global });
}

function wrongCount(
  { minArgs, maxArgs }: CommandDefinition,
  name: string,
  args: readonly string[],
): string | undefined {
  if (args.length < minArgs) return `${name}: more arguments required.`;
  if (maxArgs === undefined || args.length <= maxArgs) return undefined;
  return `${name}: too many arguments ([${args.join(' ')}]).`;
}

interface Invocation {
  readonly streams: Streams;
  readonly command: CommandDefinition;
  readonly name: string;
  readonly args: readonly string[];
  readonly flags: FlagValues;
  readonly global: GlobalOptions;
}

async function runCommand({ command, global, ...rest }: Invocation): Promise<number> {
  const { streams } = rest;
  const log = goLog(streams, global.debug ? 'debug' : 'error');
  if (global.debug) {
    const { graphRoot, runRoot, driver, driverOptions } = await configuredOptions(global);
    log('debug', `Root: ${graphRoot}`);
    log('debug', `Run Root: ${runRoot}`);
    log('debug', `Driver Name: ${driver}`);
    log('debug', `Driver Options: [${driverOptions.join(' ')}]`);
  }
  const opened = await openSelectedStore(global, log).catch((error: unknown) => {
    streams.out(`error initializing: ${errorText(error)}\n`);
    return undefined;
  });
  if (opened === undefined) return FAILURE;
  await using store = opened;
  try {
    return await command.run({ ...rest, store, global });
  } catch (error) {
    streams.err(`${errorText(error)}\n`);
    return FAILURE;
  }
}
