import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';

/** Something that the progress library takes for a terminal. */
export function fakeScreen(columns = 100, rows = 24) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows, getColorDepth: () => 1 });
  const text = () => (stream.read() ?? '').toString() as string;
  return { screen: stream as unknown as WriteStream, text };
}
