import { readFileSync } from 'node:fs';

/** One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly mountId: number;
  readonly parentId: number;
  /** `major:minor` of the file system's device. */
  readonly device: string;
  /** What part of the file system is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: string;
  /** Propagation: `shared:1`, `master:2` … */
  readonly optional: readonly string[];
  readonly fstype: string;
  readonly source: string;
  readonly superOptions: string;
}

/** All mounts that this process sees, in the kernel's order: of several on one place the last is on top. */
export function readMountInfo(path = '/proc/self/mountinfo'): MountInfo[] {
  return parseMountInfo(readFileSync(path, 'utf8'));
}

/**
 * Reads the text of a mountinfo file.
 *
 * @throws {SyntaxError} for a line that is not of that form
 */
export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): MountInfo {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [mountId, parentId, device, root, mountPoint, options] = fields;
  const [fstype, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1);
  if (options === undefined || fstype === undefined || source === undefined) {
    throw new SyntaxError(`not a line of mountinfo: ${JSON.stringify(line)}`);
  }
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device: device as string,
    root: unescapeOctal(root as string),
    mountPoint: unescapeOctal(mountPoint as string),
    options: unescapeOctal(options),
    optional: fields.slice(6, separator),
    fstype: unescapeOctal(fstype),
    source: unescapeOctal(source),
    superOptions: unescapeOctal(superOptions ?? ''),
  };
}

/** The kernel writes space, tab, newline and backslash (and `#` in sources) as `\ooo`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
