import { describe, expect, it } from 'vitest';
import {
  formatAmount,
  formatTargets,
  type SceneResult,
  sceneReport,
  summary,
  verdicts,
} from '../../../scripts/bench/report.js';

const result = (changes: Partial<SceneResult> = {}): SceneResult => ({
  name: 'scene',
  summary: 'ours against theirs',
  ours: 'sediment import',
  peer: 'skopeo copy',
  targets: { wall: 0.35, cpu: 0.45, memoryMB: 160 },
  pairs: [
    {
      ours: { wallMs: 700, cpuMs: 900, peakBytes: 100e6 },
      peer: { wallMs: 2000, cpuMs: 1800, peakBytes: 50e6 },
    },
  ],
  proven: ['trees equal: 7 lines'],
  failures: [],
  ...changes,
});

describe('verdicts', () => {
  it('takes a target that is just reached as met', () => {
    expect(verdicts(result())).toEqual([
      { measure: 'wall', limit: '≤ 0.35', met: true },
      { measure: 'cpu', limit: '≤ 0.45', met: false },
      { measure: 'memory', limit: '≤ 160 MB', met: true },
    ]);
  });

  it('compares memory with megabytes, not with the peer', () => {
    expect(verdicts(result({ targets: { memoryMB: 99 } }))).toEqual([
      { measure: 'memory', limit: '≤ 99 MB', met: false },
    ]);
  });
});

describe('sceneReport', () => {
  it('shows both sides, the ratio and the target of each measure', () => {
    const lines = sceneReport(result());
    expect(lines[0]).toBe('scene: ours against theirs');
    expect(lines[1]).toMatch(/sediment import +skopeo copy +ratio of 1 pair/);
    expect(lines[2]).toMatch(/wall +700 ms +2\.00 s +0\.35 \(0\.35–0\.35\) +target ≤ 0\.35: met/);
    expect(lines[3]).toMatch(/cpu .* 0\.50 .* target ≤ 0\.45: MISSED/);
    expect(lines[4]).toMatch(/memory +100 MB +50 MB +2\.00/);
    expect(lines.at(-1)).toBe('  ok: trees equal: 7 lines');
  });

  it('says what is wrong', () => {
    expect(sceneReport(result({ failures: ['trees differ'] }))).toContain('  WRONG: trees differ');
  });
});

describe('summary', () => {
  it('names missed targets, and what was not measured with its reason', () => {
    const lines = summary([result()], [{ name: 'other', reason: 'umoci is not installed' }]);
    expect(lines[1]).toMatch(/^scene +0\.35 .*MISSED: cpu ≤ 0\.45$/);
    expect(lines.slice(2)).toEqual([
      'other: not measured: umoci is not installed',
      'bench: all that was compared is equal',
    ]);
  });

  it('never calls a run good in which something differed', () => {
    const lines = summary([result({ failures: ['trees differ'], targets: {} })], []);
    expect(lines[1]).toMatch(/WRONG$/);
    expect(lines.at(-1)).toBe('bench: WRONG: scene');
  });

  it('does not call it equal when nothing was measured', () => {
    expect(summary([], [{ name: 'a', reason: 'b' }]).at(-1)).toBe('bench: nothing was measured');
  });
});

describe('formats', () => {
  it('chooses units that are easy to read', () => {
    expect(formatAmount('wallMs', 999)).toBe('999 ms');
    expect(formatAmount('cpuMs', 1234)).toBe('1.23 s');
    expect(formatAmount('peakBytes', 123_400_000)).toBe('123 MB');
  });

  it('lists the targets that there are', () => {
    expect(formatTargets({ wall: 0.7, memoryMB: 160 })).toBe('wall ≤ 0.7, memory ≤ 160 MB');
    expect(formatTargets({})).toBe('');
  });
});
