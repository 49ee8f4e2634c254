import type { CheckFinding, CheckReport, DamagedObject, RepairResult } from '@sediment/storage';
import { shortId } from '../output/shortId.ts';
import { printable } from '../output/text.ts';

/** Lines for one object; a layer that lost its parent misses thousands of files. */
const MAX_LINES = 10;

/** Names of images and containers by id, for people. */
export type NamesById = ReadonlyMap<string, readonly string[]>;

/** What a check found, for people. */
export function checkText(report: CheckReport, names: NamesById): string {
  const { layers, readOnlyLayers, images, readOnlyImages, containers } = report;
  const sections = [
    ...layers.map((each) => objectText('layer', each, names)),
    ...readOnlyLayers.map((each) => objectText('read-only layer', each, names)),
    ...images.map((each) => objectText('image', each, names)),
    ...readOnlyImages.map((each) => objectText('read-only image', each, names)),
    ...containers.map((each) => objectText('container', each, names)),
  ];
  return `${sections.join('')}${summary(report)}\n`;
}

function objectText(what: string, { id, findings }: DamagedObject, names: NamesById): string {
  const named = names.get(id)?.map(printable).join(', ') ?? '';
  const own = findings.filter((finding) => finding.object.id === id);
  const others = new Set(findings.filter((finding) => finding.object.id !== id).map(({ object }) => object));
  const inherited = new Map(
    [...others].map(({ kind, id: other }) => [other, `${kind} ${shortId(other)} is damaged`]),
  );
  const lines = [...own.map((finding) => ownText(finding, id)), ...inherited.values()];
  const shown = lines.slice(0, MAX_LINES);
  if (lines.length > MAX_LINES) shown.push(`and ${lines.length - MAX_LINES} more: see --format json`);
  const title = `${what} ${shortId(id)}${named === '' ? '' : ` (${named})`}`;
  return `${title}\n${shown.map((line) => `  ${printable(line)}\n`).join('')}`;
}

/** The text without the object that the section is about. */
function ownText({ text, object }: CheckFinding, id: string): string {
  for (const prefix of [`${object.kind} ${id}: `, `read-only ${object.kind} ${id}: `]) {
    if (text.startsWith(prefix)) return text.slice(prefix.length);
  }
  return text;
}

/** `Checked 3 layers, 1 image and 0 containers: 1 layer and 1 image are damaged`. */
export function summary({ checked, ...report }: CheckReport): string {
  const looked = list([
    count(checked.layers, 'layer'),
    count(checked.images, 'image'),
    count(checked.containers, 'container'),
  ]);
  const damaged = [
    [report.layers.length + report.readOnlyLayers.length, 'layer'] as const,
    [report.images.length + report.readOnlyImages.length, 'image'] as const,
    [report.containers.length, 'container'] as const,
  ].filter(([amount]) => amount > 0);
  const total = damaged.reduce((sum, [amount]) => sum + amount, 0);
  if (total === 0) return `Checked ${looked}: no damage`;
  const found = list(damaged.map(([amount, what]) => count(amount, what)));
  return `Checked ${looked}: something is wrong with ${found}`;
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** What a repair has removed, for people. */
export function repairText({ removed }: RepairResult, names: NamesById): string {
  return removed
    .map(({ kind, id }) => {
      const named = names.get(id)?.map(printable).join(', ') ?? '';
      return `Removed ${kind} ${shortId(id)}${named === '' ? '' : ` (${named})`}\n`;
    })
    .join('');
}
