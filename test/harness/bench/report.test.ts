import { describe, expect, it } from 'vitest';
import { exitStatus, jsonReport } from '../../../scripts/bench/jsonReport.js';
import { markdownOf } from '../../../scripts/bench/markdown.js';
import {
  formatAmount,
  formatTargets,
  type SceneResult,
  sceneReport,
  summary,
} from '../../../scripts/bench/report.js';
import { verdicts } from '../../../scripts/bench/verdicts.js';

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
  load: { loadAverage: 1.23, stolen: 0.01, others: 0.02 },
  seconds: 12.3,
  ...changes,
});

const BUSY = { loadAverage: 9, stolen: 0.01, others: 0.4 };

describe('verdicts', () => {
  it('takes a target that is just reached as met', () => {
    expect(verdicts(result())).toMatchObject([
      { measure: 'wall', unit: '', limit: 0.35, met: true },
      { measure: 'cpu', unit: '', limit: 0.45, met: false },
      { measure: 'memory', unit: 'MB', limit: 160, found: { median: 100 }, met: true },
    ]);
  });

  it('compares memory with megabytes, not with the peer', () => {
    expect(verdicts(result({ targets: { memoryMB: 99 } }))).toMatchObject([
      { measure: 'memory', limit: 99, met: false },
    ]);
  });

  it('compares times by unit of work, where the sides did not do the same', () => {
    const units = { name: 'file', ours: 10, peer: 20 };
    const [wall] = verdicts(result({ targets: { wall: 0.7 }, units }));
    expect(wall).toMatchObject({ met: true, found: { median: 0.7 } });
  });

  it('has one for everything that was counted', () => {
    const counts = [
      { what: 'reads', value: 1 },
      { what: 'writes', value: 2 },
    ];
    expect(verdicts(result({ targets: { counts: 1 }, counts }))).toMatchObject([
      { measure: 'reads', met: true },
      { measure: 'writes', met: false, found: { median: 2, min: 2, max: 2 } },
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
    expect(lines[4]).toMatch(/memory +100 MB +50 MB +2\.00 .* target ≤ 160 MB: met/);
    expect(lines.slice(5)).toEqual([
      '  ok: trees equal: 7 lines',
      '  machine: load average 1.2, stolen 1 %, others 2 %; took 12 s',
    ]);
  });

  it('shows times by unit of work', () => {
    const lines = sceneReport(result({ units: { name: 'file', ours: 1000, peer: 2000 }, targets: {} }));
    expect(lines[1]).toMatch(/times per file$/);
    expect(lines[2]).toMatch(/wall +700 ms, 700 µs\/file +2\.00 s, 1000 µs\/file +0\.70/);
    expect(lines[4]).toMatch(/memory +100 MB +50 MB /);
  });

  it('says what is wrong, what was counted, and that the machine had other work', () => {
    const lines = sceneReport(
      result({ failures: ['trees differ'], counts: [{ what: 'reads', value: 3 }], load: BUSY }),
    );
    expect(lines).toContain('  WRONG: trees differ');
    expect(lines).toContain('  reads: 3');
    expect(lines.at(-1)).toMatch(/machine BUSY with other work: load average 9\.0, .* others 40 %/);
  });
});

describe('summary', () => {
  it('has a table of all targets, and names what was not measured with its reason', () => {
    const lines = summary([result()], [{ name: 'other', reason: 'umoci is not installed' }]);
    expect(lines[1]).toMatch(/^scene +0\.35 \(0\.35–0\.35\) /);
    expect(lines.slice(3)).toEqual([
      'scene  measure  target    median  min     max',
      'scene  wall     ≤ 0.35    0.35    0.35    0.35    pass',
      'scene  cpu      ≤ 0.45    0.50    0.50    0.50    MISS',
      'scene  memory   ≤ 160 MB  100 MB  100 MB  100 MB  pass',
      'targets: 2 of 3 met, 1 MISSED',
      '',
      'other: not measured: umoci is not installed',
      'bench: all that was compared is equal',
    ]);
  });

  it('names the scenes during which the machine had other work', () => {
    expect(summary([result({ load: BUSY })], [])).toContain(
      'bench: the machine was busy with other work during: scene',
    );
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

describe('jsonReport', () => {
  const circumstances = {
    date: '2026-01-02T03:04:05Z',
    seconds: 90,
    machine: { cpus: 2 },
    versions: { skopeo: '1' },
    methods: {},
    options: { rounds: 1, quick: false, targets: false, scenes: [] },
    base: undefined,
    medium: 'tmpfs',
  };

  it('has what follows from the samples, and fails for what is wrong, not for targets', () => {
    const missed = { results: [result()], notMeasured: [], failed: [] };
    expect(jsonReport(circumstances, missed)).toMatchObject({
      exitStatus: 0,
      scenes: [
        { ratios: { cpu: { median: 0.5 } }, verdicts: [{ met: true }, { met: false }, { met: true }] },
      ],
    });
    const wrong = { ...missed, results: [result({ failures: ['trees differ'] })] };
    expect(exitStatus(wrong)).toBe(1);
    expect(exitStatus({ ...missed, failed: [{ name: 'scene', reason: 'exit status 1' }] })).toBe(1);
  });

  it('becomes tables, after a round trip through its file', () => {
    const scaled = result({ name: 'scaled', units: { name: 'file', ours: 1000, peer: 2000 }, load: BUSY });
    const notMeasured = [{ name: 'other', reason: 'umoci is not installed' }];
    const report = jsonReport(circumstances, { results: [result(), scaled], notMeasured, failed: [] });
    const lines = markdownOf(JSON.parse(JSON.stringify(report)));
    expect(lines).toContain('| `scene` | wall | ≤ 0.35 | 0.35 | 0.35 | 0.35 | met |');
    expect(lines).toContain('| `scene` | cpu | ≤ 0.45 | 0.50 | 0.50 | 0.50 | **missed** |');
    expect(lines.find((line) => line.startsWith('| `scene` | 700 ms | 2.00 s |'))).toBeDefined();
    expect(lines.find((line) => line.includes('700 µs/file'))).toMatch(/^\| `scaled`/);
    expect(lines).toContain('The machine was busy with other work during `scaled`.');
    expect(lines.at(-1)).toBe('- `other`: umoci is not installed');
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
