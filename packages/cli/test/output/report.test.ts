import { StorageError } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { reportError, reportTakenNames, reportWarning } from '../../src/output/report.ts';
import { recordTerminal } from '../support.ts';

describe('reportError', () => {
  it('prints message, code and hint on standard error', () => {
    const terminal = recordTerminal();
    reportError(terminal, new StorageError('IMAGE_UNKNOWN', 'x: image not known', { hint: 'list them' }));
    expect(terminal.stderr).toBe('Error: x: image not known [IMAGE_UNKNOWN]\nHint: list them\n');
    expect(terminal.stdout).toBe('');
  });

  it('keeps names from steering the terminal', () => {
    const terminal = recordTerminal();
    reportError(terminal, new StorageError('UNPACK_UNSAFE', 'entry "\u001b]0;x\u0007": unsafe'));
    expect(terminal.stderr).toBe('Error: entry "\\x1b]0;x\\x07": unsafe [UNPACK_UNSAFE]\n');
  });

  it('prints a defect with its stack', () => {
    const terminal = recordTerminal();
    reportError(terminal, new TypeError('boom'));
    expect(terminal.stderr).toMatch(/^Error: unexpected: TypeError: boom\n +at /);
    expect(terminal.stderr).toContain('Hint: this is a defect');
  });
});

describe('warnings', () => {
  it('are one line each', () => {
    const terminal = recordTerminal();
    reportWarning(terminal, { code: 'XATTR_SKIPPED', message: 'skipped' });
    reportTakenNames(terminal, [{ name: 'localhost/a:1', from: 'f'.repeat(64) }]);
    expect(terminal.stderr).toBe(
      'Warning: skipped [XATTR_SKIPPED]\n' +
        'Warning: the name localhost/a:1 was taken from image ffffffffffff [NAME_TAKEN]\n',
    );
  });
});
