import type { CheckReport, DamagedObject } from '@sediment/storage';
import { sortedMap } from './json.ts';

/** The parts of a report in the order in which they are printed. */
const PARTS = {
  layers: { title: 'layer', key: 'Layers' },
  readOnlyLayers: { title: 'read-only layer', key: 'ROLayers' },
  images: { title: 'image', key: 'Images' },
  readOnlyImages: { title: 'read-only image', key: 'ROImages' },
  containers: { title: 'container', key: 'Containers' },
} as const;

export type ReportPart = keyof typeof PARTS;
export const REPORT_PARTS = Object.keys(PARTS) as ReportPart[];

/** What the Go command would find, which reports less than our store does. */
export type GoReport = Readonly<Record<ReportPart, readonly DamagedObject[]>>;

export function goReport(report: CheckReport): GoReport {
  const withoutOurs = (objects: readonly DamagedObject[]): DamagedObject[] =>
    objects
      .map(({ id, findings }) => ({ id, findings: findings.filter(({ ours }) => !ours) }))
      .filter(({ findings }) => findings.length > 0);
  return {
    layers: withoutOurs(report.layers),
    readOnlyLayers: withoutOurs(report.readOnlyLayers),
    images: withoutOurs(report.images),
    readOnlyImages: withoutOurs(report.readOnlyImages),
    containers: withoutOurs(report.containers),
  };
}

export function reportText(report: GoReport): string {
  const objectText = (title: string, { id, findings }: DamagedObject): string =>
    `${title} ${id}:\n${findings.map(({ text }) => ` ${text}\n`).join('')}`;
  return REPORT_PARTS.flatMap((part) =>
    report[part].map((object) => objectText(PARTS[part].title, object)),
  ).join('');
}

/** The errors themselves have no fields in Go that could be printed. */
export function reportJson(report: GoReport): Record<string, unknown> {
  const errors = ({ id, findings }: DamagedObject) => [id, findings.map(() => ({}))] as const;
  return Object.fromEntries(
    REPORT_PARTS.map((part) => [PARTS[part].key, sortedMap(Object.fromEntries(report[part].map(errors)))]),
  );
}

/** How many objects of these kinds are damaged. */
export function damageCounts(report: GoReport, parts: readonly ReportPart[]): string {
  return parts.map((part) => `${report[part].length} ${PARTS[part].title} errors`).join(', ');
}

export function isDamaged(report: GoReport, parts: readonly ReportPart[]): boolean {
  return parts.some((part) => report[part].length > 0);
}
