/** Numbers from 0 to below the one given, which are the same again for the same seed (mulberry32). */
export type RandomNumbers = (below: number) => number;

export function randomNumbers(seed: number): RandomNumbers {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
