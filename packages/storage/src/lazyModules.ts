/**
 * Modules of Node.js that take milliseconds to load (crypto brings all of webcrypto, child_process brings
 * net) and that reading a store does not need. A command that only lists something is over in less.
 */
export function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

export function childProcess(): typeof import('node:child_process') {
  return process.getBuiltinModule('node:child_process');
}
