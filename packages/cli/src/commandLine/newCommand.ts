import { Command, Option } from 'commander';

/** A command line that is shown in a command's help, with what it does. */
export type Example = readonly [commandLine: string, meaning: string];

/** A command whose help ends with examples. */
export function newCommand(name: string, description: string, examples: readonly Example[]): Command {
  return new Command(name).description(description).addHelpText('after', formatExamples(examples));
}

/** `--format json`, for commands whose result programs want to read. */
export function formatOption(): Option {
  return new Option('--format <format>', 'print a table for people or JSON for programs')
    .choices(['table', 'json'])
    .default('table');
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function formatExamples(examples: readonly Example[]): string {
  const lines = examples.flatMap(([commandLine, meaning]) => [`  # ${meaning}`, `  $ ${commandLine}`]);
  return ['', examples.length === 1 ? 'Example:' : 'Examples:', ...lines].join('\n');
}
