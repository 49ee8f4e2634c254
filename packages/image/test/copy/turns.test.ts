import { describe, expect, it } from 'vitest';
import { type Turn, takeTurns } from '../../src/copy/turns.ts';

describe('takeTurns', () => {
  it('comes in the order of the tasks, whichever is ready first', async () => {
    const turns = takeTurns(4);
    const order: number[] = [];
    const hand = async (index: number, delay: number) => {
      const turn = turns[index] as Turn;
      await new Promise((resolve) => setTimeout(resolve, delay));
      await turn.come;
      order.push(index);
      turn.done();
      turn.done();
    };
    await Promise.all([hand(0, 20), hand(1, 0), hand(2, 10), hand(3, 1)]);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('passes over tasks that end without it', async () => {
    const [first, second, third] = takeTurns(3) as [Turn, Turn, Turn];
    second.done();
    let hasCome = false;
    const coming = third.come.then(() => {
      hasCome = true;
    });
    await first.come;
    await Promise.resolve();
    expect(hasCome).toBe(false);
    first.done();
    await coming;
    expect(hasCome).toBe(true);
  });
});
