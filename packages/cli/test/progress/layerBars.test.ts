import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LayerBars } from '../../src/progress/layerBars.ts';
import { fakeScreen } from './fakeScreen.ts';

const id = (index: number) => index.toString(16).repeat(64);

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
