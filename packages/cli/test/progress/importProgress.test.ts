import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import type { ImportEvent } from '@sediment/image';
import { describe, expect, it } from 'vitest';
import type { Terminal } from '../../src/output/terminal.ts';
import { importProgress } from '../../src/progress/importProgress.ts';
import { LayerBars } from '../../src/progress/layerBars.ts';
import { recordTerminal } from '../support.ts';

/** Something that the progress library takes for a terminal. */
function fakeScreen(columns = 100, rows = 24) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows, getColorDepth: () => 1 });
  const text = () => (stream.read() ?? '').toString() as string;
  return { screen: stream as unknown as WriteStream, text };
}

const id = (index: number) => index.toString(16).repeat(64);

function events(count: number): ImportEvent[] {
  const layers = Array.from({ length: count }, () => ({ diffID: 'sha256:x', size: 2_000_000 }));
  return [
    { type: 'image-start', image: 0, total: 1, id: 'f'.repeat(64), names: [], layers },
    { type: 'layer-reused', image: 0, index: 0, id: id(0) },
    { type: 'layer-start', image: 0, index: 1, id: id(1), size: 2_000_000 },
    { type: 'layer-progress', image: 0, index: 1, id: id(1), read: 500_000 },
    { type: 'layer-progress', image: 0, index: 1, id: id(1), read: 2_000_000 },
    { type: 'layer-done', image: 0, index: 1, id: id(1) },
    { type: 'image-done', image: 0, isNew: true, info: {} },
  ] as unknown as ImportEvent[];
}

describe('importProgress', () => {
  it('draws a bar for each layer that is read, and leaves the terminal as it was', async () => {
    const { screen, text } = fakeScreen();
    const recorded = recordTerminal();
    const terminal: Terminal = { ...recorded, screen };
    const progress = await importProgress(terminal, false);
    for (const event of events(2)) progress.onEvent(event);
    progress.stop();
    const drawn = text();
    expect(stripVTControlCharacters(drawn)).toMatch(/layer 2\/2 111111111111 \[=+\] 2 MB \/ 2 MB\n$/);
    expect(drawn.lastIndexOf('\u001b[?25h')).toBeGreaterThan(drawn.lastIndexOf('\u001b[?25l'));
    expect(recorded.stderr).toBe('layer 1/2 000000000000 is already there\n');
    expect(recorded.stdout).toBe('');
  });

  it('prints remarks above the bars', async () => {
    const { screen, text } = fakeScreen();
    const progress = await importProgress({ ...recordTerminal(), screen }, false);
    for (const event of events(2).slice(0, 4)) progress.onEvent(event);
    progress.remark('Warning: careful');
    progress.stop();
    expect(stripVTControlCharacters(text())).toContain('Warning: careful\n');
  });

  it.each<[string, boolean, boolean]>([
    ['there is no terminal', false, false],
    ['it is told to be quiet', true, true],
  ])('draws nothing when %s', async (_, isTerminal, quiet) => {
    const { screen, text } = fakeScreen();
    const recorded = recordTerminal();
    const terminal = { ...recorded, ...(isTerminal ? { screen } : {}) };
    const progress = await importProgress(terminal, quiet);
    for (const event of events(2)) progress.onEvent(event);
    progress.remark('Warning: careful');
    progress.stop();
    expect(text()).toBe('');
    expect(recorded.stderr).toBe('Warning: careful\n');
  });
});

describe('LayerBars', () => {
  it('never draws more bars than the screen has lines', () => {
    const { screen, text } = fakeScreen(80, 6);
    const bars = new LayerBars(screen, 12);
    for (let index = 0; index < 12; index++) bars.show({ index, id: id(index), size: 10, read: 10 });
    text();
    bars.stop();
    const last = stripVTControlCharacters(text()).trim().split('\n');
    expect(last.length).toBeLessThanOrEqual(6);
    expect(last.at(-1)).toContain('layer 12/12');
  });

  it('draws lines that fit', () => {
    const { screen, text } = fakeScreen(60);
    const bars = new LayerBars(screen, 123);
    bars.show({ index: 121, id: id(1), size: 1_230_000_000, read: 1_230_000_000 });
    bars.stop();
    for (const line of stripVTControlCharacters(text()).split('\n'))
      expect(line.length).toBeLessThanOrEqual(60);
  });
});
