import { init, parse } from 'es-module-lexer';

await init;

/**
 * What the lexer leaves out: modules loaded by a `require` made for the purpose, and those named in a type
 * alias (`type T = typeof import('name')`).
 */
const CALLS = /\b(?:typeof\s+import|require\w*|createRequire\([^()]*\))\s*\(\s*(['"])([^'"]+)\1\s*\)/g;
const COMMENT_LINE = /^\s*(?:\*|\/\/|\/\*).*$/gm;

/**
 * Every module that a source file names: static and dynamic imports, re-exports, imports of types
 * alone, and `require('…')`.
 *
 * @param {string} source text of a TypeScript or JavaScript module
 * @returns {string[]} the specifiers, each once
 */
export function moduleImports(source) {
  const found = new Set();
  for (const each of parse(source)[0]) {
    if ('specifier' in each && each.specifier) found.add(each.specifier);
  }
  for (const [, , specifier] of source.replace(COMMENT_LINE, '').matchAll(CALLS)) found.add(specifier);
  return [...found];
}
