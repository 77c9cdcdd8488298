import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export const repository = path.resolve(import.meta.dirname, '../..');
export const readRepository = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

/** A service of docker-compose.yml, as far as tests look at it. */
export interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string | number>;
  command?: string[];
  volumes?: string[];
  tmpfs?: string[];
  networks?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy?: { replicas?: number; resources?: { limits?: { cpus?: string; memory?: string } } };
  logging?: { options?: Record<string, string> };
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
}

export interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
}

/** docker-compose.yml with its anchors and merges resolved, and these variables of `.env`. */
export function readComposeFile(variables: Record<string, string>): ComposeFile {
  // a key of several lines goes in as a text of YAML, whatever stands around it
  return JSON.parse(interpolated(JSON.stringify(parse(readRepository('docker-compose.yml'), { merge: true })), variables)) as ComposeFile;
}

/** The variables without which compose refuses to start. */
export const requiredVariables = (): string[] => [...new Set([...readRepository('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name))];

/**
 * `${NAME}`, `${NAME:?message}` and `${NAME:-default}`. Throws where a variable is missing that must be there.
 * Source: docs.docker.com, "Interpolation" of the Compose file reference.
 */
function interpolated(json: string, variables: Record<string, string>): string {
  return json.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string | undefined, text = '') => {
    const value = variables[name] ?? (kind === '-' ? String(text) : undefined);
    if (value === undefined) throw new Error(`docker-compose.yml needs ${name}`);
    return JSON.stringify(value).slice(1, -1);
  });
}

/** Host and container side of a mount: of `./ops/a.yml:/etc/a.yml:ro`. */
export function mountsOf({ volumes = [] }: Service): { source: string; target: string; isReadOnly: boolean }[] {
  return volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, isReadOnly: mode === 'ro' };
  });
}
