import { stripVTControlCharacters } from 'node:util';
import type { CopyEvent, ImportEvent } from '@sediment/image';
import { describe, expect, it } from 'vitest';
import { reportError, reportWarning } from '../../src/output/report.ts';
import type { Terminal } from '../../src/output/terminal.ts';
import { COPY_PROGRESS } from '../../src/progress/copyProgress.ts';
import { IMPORT_PROGRESS } from '../../src/progress/importProgress.ts';
import { openProgress } from '../../src/progress/openProgress.ts';
import type { Watched } from '../../src/progress/progress.ts';
import { recordTerminal } from '../support.ts';
import { fakeScreen } from './fakeScreen.ts';

const id = (index: number) => index.toString(16).repeat(64);
const digest = (index: number) => `sha256:${id(index)}`;

const importEvents = [
  {
    type: 'image-start',
    image: 0,
    total: 1,
    id: id(15),
    names: [],
    layers: [1, 2].map((size) => ({ diffID: 'sha256:x', size })),
  },
  { type: 'layer-reused', image: 0, index: 0, id: id(0) },
  { type: 'layer-start', image: 0, index: 1, id: id(1), size: 2_000_000 },
  { type: 'layer-progress', image: 0, index: 1, id: id(1), read: 500_000 },
  { type: 'layer-progress', image: 0, index: 1, id: id(1), read: 2_000_000 },
  { type: 'layer-done', image: 0, index: 1, id: id(1) },
  {
    type: 'image-done',
    image: 0,
    isNew: true,
    keepsBlobs: false,
    info: { id: id(15), names: ['x'], digest: digest(9), bigData: [] },
  },
] as unknown as ImportEvent[];

const copyEvents = [
  {
    type: 'image-start',
    image: 0,
    total: 1,
    names: ['x'],
    layers: [
      { digest: digest(0), size: 1 },
      { diffID: digest(1), size: 2 },
    ],
  },
  { type: 'layer-done', image: 0, index: 0, digest: digest(0), size: 1, copied: 'present' },
  { type: 'layer-start', image: 0, index: 1, size: 2_000_000 },
  { type: 'layer-progress', image: 0, index: 1, read: 500_000 },
  { type: 'layer-progress', image: 0, index: 1, read: 2_000_000 },
  { type: 'layer-done', image: 0, index: 1, digest: digest(2), size: 5, copied: 'recompressed' },
  { type: 'image-done', image: 0, copied: { manifestDigest: digest(9), names: ['x'], layers: [] } },
  { type: 'commit' },
] as unknown as CopyEvent[];

const courses: readonly [string, Watched<unknown>, readonly unknown[]][] = [
  ['an import', IMPORT_PROGRESS as Watched<unknown>, importEvents],
  ['a copy', COPY_PROGRESS as Watched<unknown>, copyEvents],
];

describe.each(courses)('the progress of %s', (_, watch, events) => {
  it.each(['auto', 'bars'] as const)('is bars on a terminal, which is then as it was (%s)', async (mode) => {
    const { screen, text } = fakeScreen();
    const recorded = recordTerminal();
    const terminal: Terminal = { ...recorded, screen };
    const { progress } = await openProgress(terminal, { progress: mode }, watch);
    for (const event of events) progress.onEvent(event);
    progress.stop();
    const drawn = text();
    expect(stripVTControlCharacters(drawn)).toMatch(/layer 2\/2 111111111111 \[=+\] 2 MB \/ 2 MB\n$/);
    expect(drawn.lastIndexOf('\u001b[?25h')).toBeGreaterThan(drawn.lastIndexOf('\u001b[?25l'));
    expect(recorded.stderr).toBe('layer 1/2 000000000000 is already there\n');
    expect(recorded.stdout).toBe('');
  });

  it('lets remarks stand above the bars', async () => {
    const { screen, text } = fakeScreen();
    const terminal = { ...recordTerminal(), screen };
    const { progress, watched } = await openProgress(terminal, { progress: 'auto' }, watch);
    for (const event of events.slice(0, 4)) progress.onEvent(event);
    watched.remark('Warning: careful');
    progress.stop();
    expect(stripVTControlCharacters(text())).toContain('Warning: careful\n');
  });

  it.each([
    ['there is no terminal', { progress: 'auto' }, false],
    ['it is told to be quiet', { progress: 'auto', quiet: true }, true],
    ['nothing is wanted', { progress: 'none' }, true],
  ] as const)('is not drawn when %s', async (_why, options, isTerminal) => {
    const { screen, text } = fakeScreen();
    const recorded = recordTerminal();
    const terminal = { ...recorded, ...(isTerminal ? { screen } : {}) };
    const { progress, watched } = await openProgress(terminal, options, watch);
    for (const event of events) progress.onEvent(event);
    watched.remark('Warning: careful');
    progress.stop();
    expect(text()).toBe('');
    expect(recorded.stderr).toBe('Warning: careful\n');
  });

  it('is a line of JSON for each event, warning and error', async () => {
    const recorded = recordTerminal();
    const { progress, watched } = await openProgress(recorded, { progress: 'json', quiet: true }, watch);
    for (const event of events) progress.onEvent(event);
    reportWarning(watched, { code: 'NAME_TAKEN', message: 'taken' });
    reportError(watched, new Error('oops'));
    watched.remark('by the way');
    progress.stop();
    const records = recorded.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    // two reports of one layer within a moment are one
    const expected = events.map((event) => (event as { readonly type: string }).type).toSpliced(4, 1);
    expect(records.map(({ type }) => type)).toEqual([...expected, 'warning', 'error', 'note']);
    expect(records.at(-3)).toEqual({ type: 'warning', code: 'NAME_TAKEN', message: 'taken' });
    expect(records.at(-1)).toEqual({ type: 'note', message: 'by the way' });
    expect(recorded.stdout).toBe('');
  });
});

describe('records of finished images', () => {
  it('are short', () => {
    expect(IMPORT_PROGRESS.toRecord(importEvents.at(-1) as ImportEvent)).toEqual({
      type: 'image-done',
      image: 0,
      id: id(15),
      names: ['x'],
      digest: digest(9),
      isNew: true,
      keepsBlobs: false,
    });
    expect(COPY_PROGRESS.toRecord(copyEvents.at(-2) as CopyEvent)).toEqual({
      type: 'image-done',
      image: 0,
      manifestDigest: digest(9),
      names: ['x'],
      layers: [],
    });
  });
});
