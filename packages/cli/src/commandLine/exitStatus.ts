/** Exit statuses besides 0: what was asked could not be done, and the question was not understood. */
export const FAILURE = 1;
export const USAGE_ERROR = 2;

/** Ends a command with a status when everything has been printed that there was to say. */
export class ExitStatus extends Error {
  override readonly name = 'ExitStatus';
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}
