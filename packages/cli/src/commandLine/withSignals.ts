import { reportError } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { SignalWatch } from '../signals.ts';
import { ExitStatus } from './exitStatus.ts';

/**
 * Runs a command that takes long: a signal aborts it, so that it can clean up, and the exit status then
 * names the signal. Nothing is aborted before `fn` asks for the signal.
 */
export async function withSignals<T>(
  terminal: Terminal,
  fn: (signals: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const signals = new SignalWatch();
  signals.start();
  try {
    return await fn(signals);
  } catch (error) {
    const status = signals.exitStatus;
    if (status === undefined) throw error;
    reportError(terminal, error);
    throw new ExitStatus(status);
  } finally {
    signals.stop();
  }
}
