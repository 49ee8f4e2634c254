import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { checkoutRoot } from './checkout.js';
import { runTool } from './run.js';

/**
 * @typedef {object} TestReport
 * @property {number} status exit status of the test runner
 * @property {number} passed
 * @property {number} failed tests, and files that could not be loaded
 * @property {number} skipped
 * @property {string[]} failedTitles `file > suite > test`
 * @property {string[]} skippedTitles `file > suite > test`, suites that are skipped as a whole once
 */

/**
 * Runs vitest without colours and reads its report.
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {TestReport}
 */
export function runTests(args, env = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'sediment-report-'));
  const file = join(directory, 'report.json');
  try {
    const status = runTool(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
      { NO_COLOR: '1', FORCE_COLOR: '0', ...env },
    );
    if (!existsSync(file))
      return { status: status || 1, passed: 0, failed: 0, skipped: 0, failedTitles: [], skippedTitles: [] };
    return summarize(status, JSON.parse(readFileSync(file, 'utf8')));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {number} status
 * @param {{ testResults: Array<{ name: string, status: string,
 *   assertionResults: Array<{ status: string, title: string, ancestorTitles: string[] }> }> }} json
 * @returns {TestReport}
 */
function summarize(status, { testResults }) {
  const report = {
    status,
    passed: 0,
    failed: 0,
    skipped: 0,
    failedTitles: /** @type {string[]} */ ([]),
    skippedTitles: /** @type {string[]} */ ([]),
  };
  const titles = new Set();
  for (const { name, status: fileStatus, assertionResults } of testResults) {
    const broken = fileStatus === 'failed' && !assertionResults.some((test) => test.status === 'failed');
    if (broken) {
      report.failed++;
      report.failedTitles.push(relative(checkoutRoot, name));
    }
    for (const test of assertionResults) {
      if (test.status === 'passed') report.passed++;
      else if (test.status === 'failed') {
        report.failed++;
        report.failedTitles.push(
          [relative(checkoutRoot, name), ...test.ancestorTitles, test.title].join(' > '),
        );
      } else {
        report.skipped++;
        titles.add(
          [
            relative(checkoutRoot, name),
            ...test.ancestorTitles.slice(0, 1),
            ...(test.ancestorTitles.length > 0 ? [] : [test.title]),
          ].join(' > '),
        );
      }
    }
  }
  report.skippedTitles = [...titles];
  return report;
}

/**
 * Prints what was skipped (the titles say why), what failed, so that a reader of the end alone sees it, and, on
 * the last line, the counts.
 *
 * @param {TestReport} report
 */
export function printSummary({ status, passed, failed, skipped, failedTitles, skippedTitles }) {
  if (skippedTitles.length > 0) process.stdout.write('\nskipped:\n');
  for (const title of skippedTitles) process.stdout.write(`  ${title}\n`);
  if (failedTitles.length > 0) process.stdout.write('\nfailed:\n');
  for (const title of failedTitles) process.stdout.write(`  ${title}\n`);
  if (status !== 0 && failed === 0) process.stdout.write('\nthe test runner itself failed, see above\n');
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}
