import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Imports {
  /** Files of the repository, relative to `root`. */
  files: Set<string>;
  /** Packages that are loaded when the program runs. */
  packages: Set<string>;
}

/** All that a program imports, directly or not, also where it does so only when it has to. Types are not imported. */
export function importsOf(entries: readonly string[], root: string): Imports {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const name of importedBy(readFileSync(path.join(root, file), 'utf8'))) {
      if (name.startsWith('.')) waiting.push(path.join(path.dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(packageOf(name));
    }
  }
  return { files, packages };
}

const importedBy = (source: string): string[] =>
  [...source.matchAll(/^(?:import|export) (?!type )[^'`]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(([, one, two, three]) => one ?? two ?? three ?? '');

/** `@nats-io/jetstream/internal` is of `@nats-io/jetstream`. */
const packageOf = (name: string): string => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/');
