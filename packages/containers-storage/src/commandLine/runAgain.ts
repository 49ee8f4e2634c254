import { errorText } from '../errors/errorText.ts';
import { goLog } from '../output/goLog.ts';
import type { Streams } from '../output/streams.ts';
import { FAILURE } from './exitStatus.ts';

/** Whether a program of the containers family has put this process into its user namespace. */
export function isInNamespace(env: NodeJS.ProcessEnv): boolean {
  return (env._CONTAINERS_USERNS_CONFIGURED ?? '') !== '';
}

/** Runs this program again, with the same arguments, as root of a user namespace; returns its exit status. */
export async function runAgain(streams: Streams, debug: boolean): Promise<number> {
  const { reexecInUserNamespace } = await import('@sediment/storage');
  try {
    const log = goLog(streams, debug ? 'debug' : 'error');
    return await reexecInUserNamespace({ onWarning: ({ message }) => log('warning', message) });
  } catch (error) {
    streams.err(`${errorText(error)}\n`);
    return FAILURE;
  }
}
