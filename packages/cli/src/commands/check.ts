import type { CheckReport, RepairResult, Store } from '@sediment/storage';
import { type Command, Option } from 'commander';
import { parseDuration } from '../commandLine/duration.ts';
import { ExitStatus, FAILURE } from '../commandLine/exitStatus.ts';
import { formatOption, newCommand } from '../commandLine/newCommand.ts';
import { withSignals } from '../commandLine/withSignals.ts';
import { withStore } from '../commandLine/withStore.ts';
import { checkText, type NamesById, repairText } from '../listings/checkListing.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';
import { printable } from '../output/text.ts';
import { checkProgress } from '../progress/checkProgress.ts';

interface CheckCommandOptions {
  readonly quick?: boolean;
  readonly repair?: boolean;
  readonly force?: boolean;
  readonly maxAge?: number;
  readonly format: 'table' | 'json';
}

interface CheckOutcome {
  readonly report: CheckReport;
  readonly repaired: RepairResult | undefined;
  readonly names: NamesById;
}

export function checkCommand(terminal: Terminal): Command {
  return newCommand('check', 'Look for damage in the store, and remove what is damaged if asked to', [
    [
      'sediment check',
      'reads every byte of every layer, changes nothing; exit status 1 if something is wrong',
    ],
    ['sediment check --repair', 'removes damaged images and layers, to be imported again'],
  ])
    .option('-q, --quick', 'do not compare the mounted trees with the layers')
    .option('-r, --repair', 'remove damaged images and layers, and what nothing uses')
    .option('-f, --force', 'remove damaged containers, too (implies --repair)')
    .addOption(
      new Option(
        '-m, --max-age <age>',
        'how old a layer may be that nothing uses, such as 90m or 2d (default: 24h)',
      ).argParser(parseDuration),
    )
    .addOption(formatOption())
    .action(async (options: CheckCommandOptions, command: Command) => {
      const outcome = await withSignals(terminal, async ({ signal }) => {
        return await withStore(command, terminal, (store) => check(store, terminal, { ...options, signal }));
      });
      printOutcome(terminal, outcome, options);
      if (somethingIsLeft(outcome, options)) throw new ExitStatus(FAILURE);
    });
}

async function check(
  store: Store,
  terminal: Terminal,
  { quick, repair, force, maxAge, signal }: CheckCommandOptions & { readonly signal: AbortSignal },
): Promise<CheckOutcome> {
  const progress = checkProgress(terminal);
  const names = await namesOf(store);
  try {
    const report = await store.check({
      quick: quick === true,
      signal,
      ...(maxAge === undefined ? {} : { maxUnreferencedLayerAge: maxAge }),
      onProgress: (event) => progress.onEvent(event),
    });
    progress.stop();
    const repaired =
      repair === true || force === true
        ? await store.repair(report, { removeContainers: force === true })
        : undefined;
    return { report, repaired, names };
  } finally {
    progress.stop();
  }
}

async function namesOf(store: Store): Promise<NamesById> {
  const named = [...(await store.images.list()), ...(await store.containers.list())];
  return new Map(named.map(({ id, names }) => [id, names]));
}

function printOutcome(
  terminal: Terminal,
  { report, repaired, names }: CheckOutcome,
  { format }: CheckCommandOptions,
): void {
  if (format === 'json') {
    terminal.print(formatJson(repaired === undefined ? report : { ...report, repair: repaired }));
    return;
  }
  terminal.print(checkText(report, names));
  if (repaired === undefined) return;
  terminal.print(repairText(repaired, names));
  for (const { error } of repaired.failed) {
    terminal.remark(`Error: ${printable(error.message)} [${error.code}]`);
    if (error.hint !== undefined) terminal.remark(`Hint: ${printable(error.hint)}`);
  }
}

/** Additional stores are not repaired, nor containers unless they may be removed. */
function somethingIsLeft({ report, repaired }: CheckOutcome, { force }: CheckCommandOptions): boolean {
  const { layers, images, containers, readOnlyLayers, readOnlyImages } = report;
  const elsewhere = readOnlyLayers.length + readOnlyImages.length;
  if (repaired === undefined) return layers.length + images.length + containers.length + elsewhere > 0;
  const boxes = force === true ? 0 : containers.length;
  return repaired.failed.length + boxes + elsewhere > 0;
}
