import type { CheckFinding, CheckReport } from '@sediment/storage';
import { expect, it } from 'vitest';
import {
  damageCounts,
  goReport,
  isDamaged,
  REPORT_PARTS,
  reportJson,
  reportText,
} from '../../src/output/checkReport.ts';
import { jsonText } from '../../src/output/json.ts';

function finding(text: string, ours?: true): CheckFinding {
  return {
    kind: 'layer-size',
    text,
    object: { kind: 'layer', id: 'x' },
    facts: {},
    ...(ours === undefined ? {} : { ours }),
  };
}

const SOUND: CheckReport = {
  layers: [],
  readOnlyLayers: [],
  images: [],
  readOnlyImages: [],
  containers: [],
  checked: { layers: 0, images: 0, containers: 0 },
  skipped: [],
};

const DAMAGED: CheckReport = {
  ...SOUND,
  layers: [
    { id: 'b', findings: [finding('layer b: one'), finding('layer b: two')] },
    { id: '10', findings: [finding('layer 10: three'), finding('layer 10: not upstream', true)] },
    { id: 'c', findings: [finding('layer c: not upstream', true)] },
  ],
  readOnlyImages: [{ id: 'i', findings: [finding('read-only image i: four')] }],
};

it('says nothing of a sound store', () => {
  const report = goReport(SOUND);
  expect(isDamaged(report, REPORT_PARTS)).toBe(false);
  expect(reportText(report)).toBe('');
  expect(jsonText(reportJson(report))).toBe(
    '{"Layers":{},"ROLayers":{},"Images":{},"ROImages":{},"Containers":{}}',
  );
});

it('lists what the Go command would find, and nothing else', () => {
  const report = goReport(DAMAGED);
  expect(reportText(report)).toBe(
    'layer b:\n layer b: one\n layer b: two\nlayer 10:\n layer 10: three\nread-only image i:\n read-only image i: four\n',
  );
  expect(jsonText(reportJson(report))).toBe(
    '{"Layers":{"10":[{}],"b":[{},{}]},"ROLayers":{},"Images":{},"ROImages":{"i":[{}]},"Containers":{}}',
  );
});

it('counts damaged objects by kind', () => {
  const report = goReport(DAMAGED);
  expect(damageCounts(report, REPORT_PARTS)).toBe(
    '2 layer errors, 0 read-only layer errors, 0 image errors, 1 read-only image errors, 0 container errors',
  );
  expect(isDamaged(report, ['images', 'containers'])).toBe(false);
  expect(isDamaged(report, ['images', 'readOnlyImages'])).toBe(true);
});
