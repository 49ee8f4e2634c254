import { StorageError } from '@sediment/core';
import type { CheckReport } from '@sediment/storage';
import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG, stringFlag } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';
import {
  damageCounts,
  type GoReport,
  goReport,
  isDamaged,
  REPORT_PARTS,
  type ReportPart,
  reportJson,
  reportText,
} from '../output/checkReport.ts';
import { printJson } from '../output/json.ts';
import { shutDownAfterwards } from './failures.ts';
import { parseGoDuration } from './goDuration.ts';

export const checkCommand: CommandDefinition = {
  names: ['check'],
  synopsis: '',
  description: 'Check storage consistency',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    JSON_FLAG,
    stringFlag(['--max', '-m'], 'Maximum allowed age for unreferenced layers', '24h'),
    booleanFlag(['--repair', '-r'], 'Remove damaged images and layers'),
    booleanFlag(['--force', '-f'], 'Remove damaged containers'),
    booleanFlag(['--quick', '-q'], 'Perform only quick checks'),
  ],
  run: async (context) => {
    try {
      return await check(context);
    } finally {
      await shutDownAfterwards(context);
    }
  },
};

async function check(context: CommandContext): Promise<number> {
  const { store, streams, flags } = context;
  const age = flags.string('--max');
  const report = await store.check({
    quick: flags.boolean('--quick'),
    ...(age === '' ? {} : { maxUnreferencedLayerAge: parseGoDuration(age) }),
  });
  const shown = goReport(report);
  if (flags.boolean('--json')) printJson(streams, reportJson(shown));
  else streams.out(reportText(shown));
  const force = flags.boolean('--force');
  if (!force && !flags.boolean('--repair')) return refuseDamage(shown, REPORT_PARTS);
  await repair(context, report, force);
  return refuseDamage(shown, [
    'readOnlyLayers',
    'readOnlyImages',
    ...(force ? [] : (['containers'] as const)),
  ]);
}

/** @throws {CommandError} when one of these parts of the report is not empty */
function refuseDamage(report: GoReport, parts: readonly ReportPart[]): number {
  if (isDamaged(report, parts)) throw new CommandError(damageCounts(report, parts));
  return SUCCESS;
}

/** @throws {CommandError} for the first removal that failed, after all that failed were printed */
async function repair(
  { store, streams, flags }: CommandContext,
  report: CheckReport,
  removeContainers: boolean,
): Promise<void> {
  const { failed } = await store.repair(report, { removeContainers });
  const texts = failed.map(({ error }) => errorText(StorageError.fromJSON(error)));
  const [first] = texts;
  if (first === undefined) return;
  if (flags.boolean('--json'))
    printJson(
      streams,
      texts.map(() => ({})),
    );
  else for (const text of texts) streams.err(`${text}\n`);
  throw new CommandError(first);
}
