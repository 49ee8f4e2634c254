import { type Command, CommanderError, Option } from 'commander';
import { reportError } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { openProgress, type ProgressOptions } from '../progress/openProgress.ts';
import { PROGRESS_MODES, type Watched } from '../progress/progress.ts';
import { ExitStatus, FAILURE } from './exitStatus.ts';
import { withSignals } from './withSignals.ts';

/** `--progress`, which {@link withProgress} obeys. */
export function progressOption(): Option {
  return new Option('--progress <how>', 'bars on a terminal, a line of JSON for each step, or nothing')
    .choices(PROGRESS_MODES)
    .default('auto');
}

/** What an operation that is watched works with. */
export interface Watch<Event> {
  /** Prints warnings without tearing what is drawn. */
  readonly watched: Terminal;
  readonly onProgress: (event: Event) => void;
  /** Asking for it makes signals abort the operation. */
  readonly signals: { readonly signal: AbortSignal };
}

/**
 * Runs a command that takes long, shows its course on standard error, and lets a signal abort it. With
 * `--progress json` warnings and the error that ends it are lines of JSON, too.
 */
export async function withProgress<Event, T>(
  { command, terminal, options }: ProgressRequest,
  watch: Watched<Event>,
  run: (watch: Watch<Event>) => Promise<T>,
): Promise<T> {
  if (options.progress === 'bars' && terminal.screen === undefined) {
    command.error("error: option '--progress bars' needs a terminal to draw on");
  }
  const { progress, watched } = await openProgress(terminal, options, watch);
  const onProgress = (event: Event) => progress.onEvent(event);
  try {
    return await withSignals(watched, async (signals) => {
      try {
        return await run({ watched, onProgress, signals });
      } finally {
        progress.stop();
      }
    });
  } catch (error) {
    if (options.progress !== 'json' || isSaid(error)) throw error;
    reportError(watched, error);
    throw new ExitStatus(FAILURE);
  }
}

export interface ProgressRequest {
  readonly command: Command;
  readonly terminal: Terminal;
  readonly options: ProgressOptions;
}

/** Usage errors are said in words, whatever the progress. */
function isSaid(error: unknown): boolean {
  return error instanceof ExitStatus || error instanceof CommanderError;
}
