import type { Terminal } from '../output/terminal.ts';
import { DrawnProgress } from './drawnProgress.ts';
import { JsonProgress } from './jsonProgress.ts';
import type { Progress, ProgressMode, ProgressRecord, Watched } from './progress.ts';

export interface ProgressOptions {
  readonly progress: ProgressMode;
  readonly quiet?: boolean;
}

/** A progress, and a terminal that does not tear what it draws. */
export interface OpenedProgress<Event> {
  readonly progress: Progress<Event>;
  readonly watched: Terminal;
}

/**
 * Bars on a terminal, lines of JSON, or nothing but remarks. `auto` draws on a terminal unless `quiet` is asked for;
 * without a terminal nothing can be drawn.
 */
export async function openProgress<Event>(
  terminal: Terminal,
  { progress: mode, quiet = false }: ProgressOptions,
  watch: Watched<Event>,
): Promise<OpenedProgress<Event>> {
  if (mode === 'json') {
    const tell = (record: ProgressRecord) => terminal.remark(JSON.stringify(record));
    const progress = new JsonProgress(tell, watch);
    return { progress, watched: { ...terminal, remark: (line) => progress.remark(line), tell } };
  }
  const progress = await drawnOrNone(terminal, mode === 'bars' || (mode === 'auto' && !quiet), watch);
  return { progress, watched: { ...terminal, remark: (line) => progress.remark(line) } };
}

async function drawnOrNone<Event>(
  terminal: Terminal,
  isWanted: boolean,
  watch: Watched<Event>,
): Promise<Progress<Event>> {
  const { screen } = terminal;
  if (!isWanted || screen === undefined) {
    return { onEvent: () => undefined, remark: (line) => terminal.remark(line), stop: () => undefined };
  }
  const { LayerBars } = await import('./layerBars.ts');
  return new DrawnProgress(terminal, (layerCount) => new LayerBars(screen, layerCount), watch);
}
